"""Number formats by which Excel shows more than the number: ``<=0.5`` for a cell that holds 0.5.

Some laboratories type 0.5 into a cell whose format puts ``<=`` before it. The reader of workbooks gives the bare
number, which is another MIC. So this module applies the formats of an .xlsx; a workbook in .xls, .xlsb or .ods that has
such a format is refused, with the advice to save it as .xlsx.

Source: ECMA-376 part 1, 18.8.30 (number formats), 18.8.10 (cell formats), 18.3.1.4 (cells).
"""

import re
import zipfile
from dataclasses import dataclass
from html import unescape
from io import BytesIO
from typing import Final

import numpy as np
import polars as pl

from sirena.whonet.errors import UnreadableFileError

_ZIP: Final = b"PK\x03\x04"
_FORMAT: Final = re.compile(r"<(?:\w+:)?numFmt\b[^>]*>")
_CELL_FORMATS: Final = re.compile(r"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", re.DOTALL)
_XF: Final = re.compile(r"<(?:\w+:)?xf\b[^>]*>")
_ATTRIBUTE: Final = re.compile(r"([\w:]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_SHEET: Final = re.compile(r"<(?:\w+:)?sheet\b[^>]*>")
_RELATION: Final = re.compile(r"<(?:\w+:)?Relationship\b[^>]*>")
_STYLED_CELL: Final = re.compile(rb"<(?:\w+:)?c\b([^>]*\bs\s*=\s*[\"'](\d+)[\"'][^>]*)>")
_PLACE: Final = re.compile(rb"\br\s*=\s*[\"']([A-Z]{1,3})(\d{1,7})[\"']")
_NO_RESULT: Final = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</"
)
_CONDITION: Final = re.compile(r"\[(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)\]")
_LITERAL: Final = re.compile(r'"([^"]*)"|\\(.)|_(?:.)|\*(?:.)|\[[^\]]*\]')
_SIGNS: Final = frozenset("<>≤≥")
_PERCENT: Final = ("9", "10")
_HIDDEN_ELSEWHERE: Final = re.compile(
    rb'"(?:<|>|<=|>=)\s*"[0#?]|(?:<number:text>\s*(?:&lt;|&gt;|\xe2\x89\xa4|\xe2\x89\xa5))'
)


@dataclass(frozen=True, slots=True)
class _Section:
    """One section of a number format: a condition, and the texts before and after the number."""

    operator: str
    limit: float
    prefix: str
    suffix: str

    def holds(self, value: float) -> bool:
        match self.operator:
            case "<":
                return value < self.limit
            case "<=":
                return value <= self.limit
            case ">":
                return value > self.limit
            case ">=":
                return value >= self.limit
            case "=":
                return value == self.limit
            case "<>":
                return value != self.limit
        return True


def as_shown(cells: pl.DataFrame, content: bytes, sheet: str, file: str) -> pl.DataFrame:
    """Return the cells as Excel shows them, if the format of a number says more than the number.

    Args:
        cells: the sheet's cells as text, starting at its first row and column.
        content: bytes of the workbook.
        sheet: name of the sheet.
        file: name of the file, for messages.

    Raises:
        UnreadableFileError: a format of an .xls, .xlsb or .ods workbook writes a comparator; in these formats, the
            cells that have it cannot be found.

    >>> import xlsxwriter
    >>> stream = BytesIO()
    >>> with xlsxwriter.Workbook(stream) as workbook:
    ...     shown_with_sign = workbook.add_format({"num_format": '"<="0.0'})
    ...     _ = workbook.add_worksheet("Isolates").write_number("A1", 0.5, shown_with_sign)
    >>> as_shown(pl.DataFrame({"AMK_NM": ["0.5"]}), stream.getvalue(), "Isolates", "2025.xlsx").rows()
    [('<=0.5',)]
    """
    if not content.startswith(_ZIP):
        _refuse_elsewhere(content, file)
        return cells
    with zipfile.ZipFile(BytesIO(content)) as archive:
        names = {name.casefold(): name for name in archive.namelist()}
        if "xl/workbook.xml" not in names:
            for name in ("content.xml", "styles.xml", "xl/styles.bin"):
                if name in names:
                    _refuse_elsewhere(archive.read(names[name]), file)
            return cells
        formats = (
            _formats(archive.read(names["xl/styles.xml"]).decode("utf-8", "replace"))
            if ("xl/styles.xml" in names)
            else {}
        )
        part = _part_of(archive, names, sheet)
        if part is None:
            return cells
        text = archive.read(part)
    changes: dict[int, dict[int, str]] = {}
    if formats:
        _apply(cells, text, formats, changes)
    if b"<f" in text or b":f>" in text:
        for match in _NO_RESULT.finditer(text):
            place = _position_of(match[1])
            if place is not None:
                changes.setdefault(place[1], {})[place[0]] = "#N/A"
    return _with_changes(cells, changes)


def _refuse_elsewhere(content: bytes, file: str) -> None:
    if _HIDDEN_ELSEWHERE.search(content) or _HIDDEN_ELSEWHERE.search(content.replace(b"\0", b"")):
        raise UnreadableFileError(
            f"{file}: has number formats that show a comparator (<=, >) the cells do not hold",
            hint="Save it as .xlsx, where these are read as shown.",
        )


def _attributes(tag: str) -> dict[str, str]:
    return {name: unescape(double or single) for name, double, single in _ATTRIBUTE.findall(tag)}


def _formats(styles: str) -> dict[int, tuple[_Section, ...]]:
    """Return the cell formats that write a comparator or a percent sign, by their number in the workbook."""
    codes = {
        attributes.get("numFmtId", ""): attributes.get("formatCode", "")
        for attributes in map(_attributes, _FORMAT.findall(styles))
    }
    codes |= dict.fromkeys(_PERCENT, "0%")
    sections_by_number = {number: sections for number, code in codes.items() if (sections := _sections(code))}
    format_list = _CELL_FORMATS.search(styles)
    if format_list is None:
        return {}
    numbers = [_attributes(tag).get("numFmtId", "0") for tag in _XF.findall(format_list[0])]
    return {
        position: sections_by_number[number] for position, number in enumerate(numbers) if number in sections_by_number
    }


def _sections(code: str) -> tuple[_Section, ...]:
    """Return the sections of a format; empty if none writes a comparator or a percent sign."""
    parts = re.findall(r'(?:"[^"]*"|\\.|[^;"\\])+', code)[:2]
    sections = []
    for part in parts:
        condition = _CONDITION.search(part)
        digits = re.search(r"[0#?@]|General", re.sub(r'"[^"]*"|\\.', lambda match: " " * len(match[0]), part))
        place = digits.start() if digits else len(part)
        prefix = _literal(part[:place])
        suffix = "%" if "%" in re.sub(r'"[^"]*"', "", part[place:]) else ""
        operator, limit = (condition[1], float(condition[2])) if condition else ("", 0.0)
        sections.append(_Section(operator, limit, prefix, suffix))
    if not any(_SIGNS & set(section.prefix) or section.suffix for section in sections):
        return ()
    if len(sections) > 1 and not sections[0].operator:
        sections = sections[:1]  # the second section of an unconditional format is for negative numbers
    return tuple(sections)


def _literal(text: str) -> str:
    bare = _LITERAL.sub(lambda match: match[1] or match[2] or "", text)
    return "".join(letter for letter in bare if letter in "<>=≤≥ ").strip()


def _part_of(archive: zipfile.ZipFile, names: dict[str, str], sheet: str) -> str | None:
    """Return the name of the archive member that holds a sheet."""
    workbook = archive.read(names["xl/workbook.xml"]).decode("utf-8", "replace")
    identifier = next(
        (
            value
            for attributes in map(_attributes, _SHEET.findall(workbook))
            if attributes.get("name") == sheet
            for key, value in attributes.items()
            if key.endswith(":id")
        ),
        None,
    )
    relations = names.get("xl/_rels/workbook.xml.rels")
    if identifier is None or relations is None:
        return None
    for attributes in map(_attributes, _RELATION.findall(archive.read(relations).decode("utf-8", "replace"))):
        if attributes.get("Id") == identifier:
            target = attributes.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return names.get(path.casefold())
    return None


def _position_of(attributes: bytes) -> tuple[int, int] | None:
    """Return a cell's row and column, counted from 0."""
    match = _PLACE.search(attributes)
    if match is None:
        return None
    column = 0
    for letter in match[1]:
        column = 26 * column + letter - ord("A") + 1
    return int(match[2]) - 1, column - 1


def _apply(
    cells: pl.DataFrame, text: bytes, formats: dict[int, tuple[_Section, ...]], changes: dict[int, dict[int, str]]
) -> None:
    for match in _STYLED_CELL.finditer(text):
        sections = formats.get(int(match[2]))
        place = _position_of(match[1]) if sections else None
        if sections is None or place is None or place[0] >= cells.height or place[1] >= cells.width:
            continue
        try:
            value = float(cells[place[0], place[1]])
        except (TypeError, ValueError):
            continue
        section = next((candidate for candidate in sections if candidate.holds(value)), None)
        if section is None or not (section.prefix or section.suffix):
            continue
        number = str(cells[place[0], place[1]]) if not section.suffix else f"{value * 100:g}"
        changes.setdefault(place[1], {})[place[0]] = section.prefix + number + section.suffix


def _with_changes(cells: pl.DataFrame, changes: dict[int, dict[int, str]]) -> pl.DataFrame:
    for column, texts in changes.items():
        if column >= cells.width:
            continue
        rows = [row for row in texts if row < cells.height]
        name = cells.columns[column]
        cells = cells.with_columns(cells[name].scatter(np.asarray(rows), pl.Series([texts[row] for row in rows])))
    return cells
