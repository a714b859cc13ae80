"""Sensititre's output (SWIN): no header, tabs, a date, then antimicrobial, MIC and category in groups of three.

Rules, each with a test of like name:

- a line is recognised by its date and the words of category after it (``SUSC``, ``RESIST``, ``NOINTP``);
- the second field is the specimen, the tenth the organism, the eleventh the specimen's type;
- empty fields between the groups are skipped;
- an abbreviation that is neither WHONET's nor on Sensititre's plates keeps a column under its own name, unread until a
  mapping says what it is.

Evidence: the layout as the reader of AMRgen (a public R package) describes it, whose author had such files. No file
was seen. The abbreviations are those printed on the plates; whether SWIN writes the same is not known.
"""

import re
from collections.abc import Iterator
from typing import Final

from sirena.whonet.encoding import find_encoding, to_utf8, wide_encoding
from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.file import RawTable
from sirena.whonet.long_results import LongResult, long_table
from sirena.whonet.source import Source

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T].*)?")
_DRUG: Final = re.compile(r"[A-Z][A-Z0-9/+]{1,7}")
_MIC: Final = re.compile(r"[<>=≤≥ ]*\d+(?:[.,]\d+)?(?:/\d+(?:[.,]\d+)?)?")
_LABELS: Final = {
    "SUSC": "S",
    "INTER": "I",
    "RESIST": "R",
    "SUSIE": "I",
    "SC": "SDD",
    "NOINTP": "",
    "NOIMAT": "",
}
"""Category of each of the instrument's words; empty if the word stands for no category."""
_SPECIMEN: Final = 1
_ORGANISM: Final = 9
_SPECIMEN_TYPE: Final = 10
_PLATE_NAMES: Final = {
    short: code
    for code, names in {
        "AMC": ("AUG", "AUG2", "AUGC"),
        "AMK": ("AMI",),
        "ATM": ("AZT",),
        "AZM": ("AZI",),
        "CAZ": ("TAZ",),
        "CPD": ("POD",),
        "CRO": ("AXO",),
        "CTX": ("FOT",),
        "CXM": ("FUR",),
        "CZO": ("FAZ",),
        "ETP": ("ERT",),
        "IPM": ("IMI",),
        "LNZ": ("LZD",),
        "LVX": ("LEVO",),
        "MEM": ("MERO",),
        "MFX": ("MXF",),
        "MNO": ("MIN",),
        "QDA": ("SYN",),
        "TCC": ("TIM2",),
        "TCY": ("TET",),
        "TEC": ("TEI",),
        "TZP": ("P/T4", "PT4"),
    }.items()
    for short in names
}
"""Abbreviations printed on the plates → WHONET's codes, where they differ."""


def is_sensititre(head: bytes) -> bool:
    r"""Tell whether a file is Sensititre's output, by its first line: a date among tabs, then a group of three.

    >>> fields = ["", "S1", *[""] * 7, "ESCCOL", "URINE", "2025-03-01", "AMI", "<= 4", "SUSC"]
    >>> is_sensititre("\t".join(fields).encode()), is_sensititre(b"ORGANISM\tAMK_NM")
    (True, False)
    """
    text = head.decode(wide_encoding(head) or "utf-8", "replace").lstrip("\ufeff")
    line = next((line for line in text.splitlines() if line.strip()), "")
    return any(label is not None for _, _, label in _groups(line.split("\t")))


def read_sensititre(source: Source) -> RawTable:
    r"""Read the results in a file of Sensititre's output.

    Raises:
        UnreadableFileError: a line is not Sensititre's output, or bytes do not fit the text's encoding.

    >>> from io import BytesIO
    >>> from sirena.whonet.source import source_of
    >>> fields = ["", "S1", *[""] * 7, "ESCCOL", "URINE", "2025-03-01", "AMI", "<= 4", "SUSC"]
    >>> table = read_sensititre(source_of(BytesIO("\t".join(fields).encode()), "swin.txt"))
    >>> table.frame.select("Organism", "Antimicrobial", "MIC", "Interpretation").rows()
    [('ESCCOL', 'AMK', '<=4', 'S')]
    """
    content = source.content()
    page = find_encoding(content)
    lines = to_utf8(content, page.name, source.name).decode().lstrip("\ufeff").splitlines()
    results: list[LongResult] = []
    numbers: list[int] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        fields = [field.strip() for field in line.split("\t")]
        groups = list(_groups(fields))
        if not groups:
            raise UnreadableFileError(
                f"{source.name}: line {number} is no line of Sensititre's output",
                hint="Export the results again, without other tables in the file.",
            )
        for drug, value, label in groups:
            results.append(
                LongResult(
                    specimen=fields[_SPECIMEN],
                    isolate=str(number),
                    specimen_type=fields[_SPECIMEN_TYPE],
                    organism=fields[_ORGANISM],
                    drug=_PLATE_NAMES.get(drug, drug),
                    value=value.removeprefix("=").replace(" ", "") or None,
                    label=label,
                )
            )
            numbers.append(number)
    return long_table(results, numbers, source.name, "output of Sensititre (SWIN)", page.name)


def _groups(fields: list[str]) -> Iterator[tuple[str, str, str | None]]:
    """Yield antimicrobial, MIC and label of each group after the date."""
    date = next((place for place, field in enumerate(fields) if _DATE.fullmatch(field.strip())), None)
    if date is None or date <= _SPECIMEN_TYPE:
        return
    rest = [field.strip() for field in fields[date + 1 :]]
    place = 0
    while place + 1 < len(rest):
        drug, value = rest[place], rest[place + 1]
        word = rest[place + 2] if place + 2 < len(rest) else ""
        if _DRUG.fullmatch(drug) and word in _LABELS and (not value or _MIC.fullmatch(value)):
            yield drug, value, _LABELS[word] or None if value else None
            place += 3
        else:
            place += 1
