"""Writing down what was understood of a table's headers, as a mapping file to be corrected and kept."""

from collections.abc import Iterable
from pathlib import Path

from sirena.domain.test_column import GUIDELINES
from sirena.whonet.drug_headers import Content
from sirena.whonet.mapping import METHODS
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
            lines.append(f'field = "{"PATIENT_ID" if one.content == "patient number" else ""}"')
        lines.append("")
    return "\n".join(lines)


def save_mapping(path: Path, readings: Iterable[HeaderReading]) -> None:
    """Write a mapping file.

    Raises:
        UnavailableFileError: the folder is missing or not writable.
    """
    with replacing(path) as temporary:
        temporary.write_text(spell_mapping(readings), encoding="utf-8")
