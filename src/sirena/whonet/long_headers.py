"""The columns of a table with one row per antimicrobial, recognised by name.

Evidence: NCBI's antibiogram template and BD Phoenix's report of one isolate as a public reader (AMRgen) names their
columns; the other names are what laboratories would write.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sirena.whonet.fields import fold_header

_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "drug": (
        *("antibiotico", "antibiotic", "antibiotique", "antimicrobiano", "antimicrobial", "antimicrobial agent"),
        *("farmaco", "drug", "droga", "antibiotic name", "nombre antibiotico"),
    ),
    "value": (
        *("cmi", "cim", "mic", "measurement", "mic value", "valor cmi", "valor cim", "cmi mg l", "mic mg l"),
        *("resultmicvalue", "result mic value", "resultado", "result", "valor", "value", "mic or concentration"),
    ),
    "sign": ("measurement sign", "signo", "sign", "operador", "operator", "resultmicsign", "result mic sign"),
    "label": (
        *("interpretacion", "interpretation", "interpretacao", "sir", "ris", "resistance phenotype", "categoria"),
        *("category", "interpreted result", "call", "final sir", "expert sir", "interp"),
    ),
    "method": ("metodo", "method", "laboratory typing method", "test method", "tecnica"),
    "standard": ("testing standard", "guideline", "norma", "estandar", "guia", "referenceguidelinessir"),
    "unit": ("measurement unit", "unidad", "unidades", "unit", "units"),
}
"""Meaning of a column → names it may have, as `fold_header` returns them, the surest first."""


def find_parts(headers: Sequence[str]) -> dict[str, str]:
    """Return the headers of a table with one row per antimicrobial, by their meaning; empty for any other table.

    >>> find_parts(["Microorganismo", "Antibiótico", "CMI"])
    {'drug': 'Antibiótico', 'value': 'CMI'}
    """
    headers_by_name = {fold_header(header.lstrip("#")): header for header in reversed(headers)}
    parts = {
        part: headers_by_name[name]
        for part, names in _PARTS.items()
        if (name := next((n for n in names if n in headers_by_name), None))
    }
    return parts if "drug" in parts and ("value" in parts or "label" in parts) else {}
