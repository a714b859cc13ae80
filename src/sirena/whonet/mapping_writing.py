"""Writing mapping files, from how a table's headers were understood or from an existing mapping."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from sirena.domain.test_column import GUIDELINES
from sirena.whonet.drug_headers import Content
from sirena.whonet.fields import FIELDS
from sirena.whonet.mapping import METHODS, ColumnMapping, LaboratoryMapping
from sirena.whonet.understanding import HeaderReading
from sirena.whonet.writing import replacing

_WORDS = {content: word for word, content in METHODS.items()}
_HEAD = """\
# How Sirena understood the columns of this table. Correct what is wrong; `--mapping` of every command reads it.
# drug: WHONET's code. method: MIC, gradient, zone or category. guideline: CLSI, EUCAST ...
# field: a field of WHONET's (PATIENT_ID, ORGANISM, SPEC_TYPE ...), or "" to leave the column out.
# scale, of SXT only: "sum" (40 is 2/38) or "first".
# [organisms] gives the laboratory's own names: EPI = "sep".
"""


def _spell_mapping(readings: Iterable[HeaderReading], mapping: LaboratoryMapping) -> str:
    lines = [_HEAD]
    columns = dict(mapping.columns)
    for reading in readings:
        entries = _entries_of_reading(reading) | _entries_of_column(
            columns.pop(reading.header.strip(), ColumnMapping())
        )
        lines += _column_lines(reading.header.strip(), entries, reading.why)
    for header, own in columns.items():
        lines += _column_lines(header, _entries_of_column(own))
    return "\n".join([*lines, *_organism_lines(mapping)])


def _entries_of_reading(reading: HeaderReading) -> dict[str, str]:
    if reading.content not in _WORDS or not reading.drug:
        return {"field": _field_of(reading)}
    guideline = {"guideline": GUIDELINES[reading.guideline]} if reading.guideline else {}
    return {"drug": reading.drug, "method": _WORDS[Content(reading.content)], **guideline}


def _entries_of_column(column: ColumnMapping) -> dict[str, str]:
    entries = {
        "drug": column.drug,
        "method": None if column.content is None else _WORDS[column.content],
        "guideline": None if column.guideline is None else GUIDELINES[column.guideline],
        "scale": None if column.scale is None else column.scale.value,
        "field": column.field,
    }
    return {name: word for name, word in entries.items() if word is not None}


def _column_lines(header: str, entries: Mapping[str, str], why: str = "") -> list[str]:
    head = f"[columns.{_toml_string(header)}]" + (f"  # {why}" if why else "")
    return [head, *(f"{name} = {_toml_string(word)}" for name, word in entries.items()), ""]


def _organism_lines(mapping: LaboratoryMapping) -> list[str]:
    names = [f"{_toml_string(text)} = {_toml_string(code)}" for text, code in mapping.organisms.items()]
    return ["[organisms]", *names, ""] if names else []


def _field_of(reading: HeaderReading) -> str:
    """Return the WHONET field that a header was understood as; empty if its column is left out."""
    if reading.content == "patient number":
        return "PATIENT_ID"
    return reading.content if reading.content in FIELDS else ""


def save_mapping(path: Path, readings: Iterable[HeaderReading], mapping: LaboratoryMapping) -> None:
    """Write a mapping file that states how headers were understood, for a person to correct.

    Args:
        path: destination; an existing file is replaced.
        readings: how each header was understood.
        mapping: the laboratory's earlier mapping, whose statements are kept.

    Raises:
        UnavailableFileError: the folder is missing or not writable.

    >>> from tempfile import TemporaryDirectory
    >>> reading = HeaderReading("Amikacina CIM", "MIC", "AMK", "N", "named by the header")
    >>> with TemporaryDirectory() as folder:
    ...     save_mapping(path := Path(folder, "mapping.toml"), [reading], LaboratoryMapping())
    ...     path.read_text().splitlines()[-4:]
    ['[columns."Amikacina CIM"]  # named by the header', 'drug = "AMK"', 'method = "MIC"', 'guideline = "CLSI"']
    """
    with replacing(path) as temporary:
        temporary.write_text(_spell_mapping(readings, mapping), encoding="utf-8")


def spell_laboratory_mapping(mapping: LaboratoryMapping) -> str:
    """Return a laboratory's mapping as the text of a file, from which `load_mapping` reads the same mapping.

    Args:
        mapping: the laboratory's mapping.

    >>> text = spell_laboratory_mapping(LaboratoryMapping({"NHC": ColumnMapping(field="PATIENT_ID")}))
    >>> text.splitlines()[-2:]
    ['[columns."NHC"]', 'field = "PATIENT_ID"']
    """
    lines = [_HEAD]
    if mapping.guideline is not None:
        lines += [f"guideline = {_toml_string(GUIDELINES[mapping.guideline])}", ""]
    for header, column in mapping.columns.items():
        lines += _column_lines(header, _entries_of_column(column))
    return "\n".join([*lines, *_organism_lines(mapping)])


def _toml_string(text: str) -> str:
    """Return a TOML string: JSON's spelling, except that TOML also escapes the character DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
