"""Writing mapping files: what was understood of a table's headers, to be corrected, or what a laboratory said."""

import json
from collections.abc import Iterable
from pathlib import Path

from sirena.domain.test_column import GUIDELINES
from sirena.whonet.drug_headers import Content
from sirena.whonet.fields import FIELDS
from sirena.whonet.mapping import METHODS, LaboratoryMapping
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


def spell_mapping(readings: Iterable[HeaderReading]) -> str:
    """Return a mapping file that says what was understood."""
    lines = [_HEAD]
    for one in readings:
        quoted = one.header.strip().replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'[columns."{quoted}"]  # {one.why}')
        if one.content in _WORDS and one.drug:
            lines.append(f'drug = "{one.drug}"')
            lines.append(f'method = "{_WORDS[Content(one.content)]}"')
            if one.guideline:
                lines.append(f'guideline = "{GUIDELINES[one.guideline]}"')
        else:
            lines.append(f'field = "{_field_of(one)}"')
        lines.append("")
    return "\n".join(lines)


def _field_of(reading: HeaderReading) -> str:
    """Return the field that a header was understood as; empty for a column that is left out."""
    if reading.content == "patient number":
        return "PATIENT_ID"
    return reading.content if reading.content in FIELDS else ""


def save_mapping(path: Path, readings: Iterable[HeaderReading]) -> None:
    """Write a mapping file.

    Raises:
        UnavailableFileError: the folder is missing or not writable.
    """
    with replacing(path) as temporary:
        temporary.write_text(spell_mapping(readings), encoding="utf-8")


def spell_laboratory_mapping(mapping: LaboratoryMapping) -> str:
    """Return a mapping file that says what a laboratory said: `load_mapping` reads the same from it.

    Args:
        mapping: the laboratory's word.
    """
    lines = [_HEAD]
    if mapping.guideline is not None:
        lines += [f"guideline = {_quoted(GUIDELINES[mapping.guideline])}", ""]
    for header, said in mapping.columns.items():
        entries = {
            "drug": said.drug,
            "method": None if said.content is None else _WORDS[said.content],
            "guideline": None if said.guideline is None else GUIDELINES[said.guideline],
            "scale": None if said.scale is None else said.scale.value,
            "field": said.field,
        }
        lines.append(f"[columns.{_quoted(header)}]")
        lines += [f"{name} = {_quoted(word)}" for name, word in entries.items() if word is not None]
        lines.append("")
    if mapping.organisms:
        lines += ["[organisms]", *(f"{_quoted(text)} = {_quoted(code)}" for text, code in mapping.organisms.items())]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a TOML string; it is spelled as JSON's, but for one sign that TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
