"""The layout of a sheet of EUCAST's workbook: heading, prose, tables of MIC breakpoints and their notes.

A table begins with a row that holds its name in the first column and "MIC breakpoints (mg/L)" further right; below it
stand "S ≤" and "R >", which name the columns of figures; then one row per antimicrobial, until an empty row. Zone
diameters and areas of technical uncertainty are not read.

Rules, each with a test of like name:

- a sheet without these words in these places is of another layout or language: nothing is imported;
- a merged cell among titles and figures would move figures to another row: nothing is imported;
- figures without a title, or outside a table, are a damaged sheet: nothing is imported;
- rows and columns that somebody has hidden are read; hidden sheets are not.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sirena.guidelines.eucast.cells import Printed, printed_cell, printed_lines, printed_title
from sirena.guidelines.eucast.findings import WorkbookError

_MIC: Final = "MIC breakpoints (mg/L)"
_SUSCEPTIBLE: Final = "S ≤"
_RESISTANT: Final = "R >"
_NUMBERED: Final = re.compile(r"(\d+)(?:/[A-Z](?:,[A-Z])*)?\.\s")
_LETTERED: Final = re.compile(r"[A-Z](?:,[A-Z])*\.\s")
_HINT: Final = "import the workbook as EUCAST publishes it, in English, without changes"


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table, for one antimicrobial, before its cells are read."""

    number: int
    title: Printed
    title_cell: str
    """Address of the title's cell."""
    susceptible: Cell | MergedCell
    resistant: Cell | MergedCell


@dataclass(frozen=True, slots=True)
class BreakpointTable:
    """One table of MIC breakpoints: a class of antimicrobials, or one group of anaerobes."""

    heading: Printed
    heading_cell: str
    """Address of the heading's cell."""
    rows: tuple[TableRow, ...]
    notes: Mapping[str, str]
    """Numbered notes by their number; lettered notes concern zone diameters and are left out."""
    notes_cell: str
    prose: tuple[tuple[str, str], ...] = ()
    """Text and address of each paragraph above this table, below the table before it or the sheet's heading."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet with tables of MIC breakpoints."""

    name: str
    heading: str
    """The organisms the sheet is for, as its first cell names them."""
    tables: tuple[BreakpointTable, ...]
    endings: tuple[tuple[str, str], ...] = field(default=())
    """Text and address of rows inside a table that have a title but no figures."""


def place(sheet: Worksheet, row: int, column: int) -> str:
    """Return a cell's name in messages: ``sheet Pasteurella, cell B12``.

    >>> from openpyxl import Workbook
    >>> place(Workbook().create_sheet("Pasteurella"), 12, 2)
    'sheet Pasteurella, cell B12'
    """
    return f"sheet {sheet.title.strip()}, cell {get_column_letter(column)}{row}"


def read_sheet(sheet: Worksheet, superscripts: bool) -> Sheet | None:
    """Find the tables of a sheet.

    Returns:
        The sheet; None if it has no table of MIC breakpoints at all.

    Raises:
        WorkbookError: the sheet has another layout, or is damaged; the error names sheet and cell.

    >>> from openpyxl import Workbook
    >>> sheet = Workbook().active
    >>> header = ["Penicillins", "MIC breakpoints (mg/L)", None, "Notes on penicillins"]
    >>> for cells in ["Pasteurella spp."], header, [None, "S ≤", "R >"], ["Ampicillin", 1, 2]:
    ...     sheet.append(cells)
    >>> [(row.title.text, row.resistant.value) for row in read_sheet(sheet, superscripts=True).tables[0].rows]
    [('Ampicillin', 2)]
    """
    headers = [(row, column) for row, column in _find(sheet, _MIC)]
    if not headers:
        stray_cell = next(_find(sheet, _SUSCEPTIBLE), None)
        if stray_cell is not None:
            raise WorkbookError(
                f"{place(sheet, stray_cell[0] - 1, stray_cell[1])}: “{_MIC}” is expected here", hint=_HINT
            )
        return None
    tables, lone, outside = [], [], 1
    for position, (row, column) in enumerate(headers):
        limit = headers[position + 1][0] if position + 1 < len(headers) else sheet.max_row + 1
        _check_header(sheet, row, column)
        rows, end = _rows(sheet, row + 2, limit, column, superscripts)
        _check_merged(sheet, row + 2, end, column)
        _check_outside(sheet, end, limit, column)
        lone += [(line.title.text, line.title_cell) for line in rows if not _filled(line)]
        notes, notes_cell = _notes(sheet, row, end)
        prose = tuple(_prose(sheet, max(outside, 2), row))
        heading = printed_title(sheet.cell(row, 1), superscripts)
        filled_rows = tuple(line for line in rows if _filled(line))
        tables.append(BreakpointTable(heading, f"A{row}", filled_rows, notes, notes_cell, prose))
        outside = end
    return Sheet(sheet.title.strip(), printed_cell(sheet.cell(1, 1)).text, tuple(tables), tuple(lone))


def _find(sheet: Worksheet, text: str) -> Iterator[tuple[int, int]]:
    for cells in sheet.iter_rows():
        for cell in cells:
            if cell.value is not None and printed_cell(cell).text == text:
                yield cell.row, cell.column
                if text == _MIC:
                    break


def _check_header(sheet: Worksheet, row: int, column: int) -> None:
    expected_cells = ((row + 1, column, _SUSCEPTIBLE), (row + 1, column + 1, _RESISTANT))
    for line, place_of, text in expected_cells:
        if printed_cell(sheet.cell(line, place_of)).text != text:
            raise WorkbookError(f"{place(sheet, line, place_of)}: “{text}” is expected here", hint=_HINT)
    if column == 1 or not printed_cell(sheet.cell(row, 1)).text:
        raise WorkbookError(f"{place(sheet, row, 1)}: the name of a table is expected here", hint=_HINT)


def _rows(
    sheet: Worksheet, first_row: int, limit: int, column: int, superscripts: bool
) -> tuple[tuple[TableRow, ...], int]:
    """Return the rows of a table, and the number of the first row below the table."""
    rows: list[TableRow] = []
    for number in range(first_row, limit):
        susceptible, resistant = sheet.cell(number, column), sheet.cell(number, column + 1)
        title = printed_title(sheet.cell(number, 1), superscripts)
        row = TableRow(number, title, f"A{number}", susceptible, resistant)
        if not title.text and not _filled(row):
            if number > first_row:
                return tuple(rows), number
            continue
        if not title.text:
            _check_merged(sheet, first_row, number + 1, column)
            raise WorkbookError(f"{place(sheet, number, 1)}: the figures beside it have no title", hint=_HINT)
        rows.append(row)
    return tuple(rows), limit


def _filled(row: TableRow) -> bool:
    return bool(printed_lines(row.susceptible).strip() or printed_lines(row.resistant).strip())


def _check_merged(sheet: Worksheet, first_row: int, end: int, column: int) -> None:
    for merged_range in sheet.merged_cells.ranges:
        if merged_range.min_row < end and merged_range.max_row >= first_row and merged_range.min_col <= column + 1:
            raise WorkbookError(
                f"{place(sheet, merged_range.min_row, merged_range.min_col)}: "
                f"cells of a table are merged ({merged_range.coord})",
                hint=_HINT,
            )


def _check_outside(sheet: Worksheet, first_row: int, limit: int, column: int) -> None:
    """Raise `WorkbookError` if there are figures below a table's end: an emptied row would cut the table short."""
    for number in range(first_row, limit):
        for place_of in (column, column + 1):
            if printed_cell(sheet.cell(number, place_of)).text:
                raise WorkbookError(f"{place(sheet, number, place_of)}: figures stand outside a table", hint=_HINT)


def _notes(sheet: Worksheet, row: int, end: int) -> tuple[dict[str, str], str]:
    column = next((cell.column for cell in sheet[row] if printed_cell(cell).text.startswith("Notes ")), None)
    if column is None:
        raise WorkbookError(f"{place(sheet, row, sheet.max_column)}: the column of notes is missing", hint=_HINT)
    notes: dict[str, str] = {}
    number = None
    for line in range(row + 2, end):
        for text in printed_lines(sheet.cell(line, column)).splitlines():
            if match := _NUMBERED.match(text.strip()):
                number = match[1]
                notes[number] = ""
            elif _LETTERED.match(text.strip()):
                number = None
            if number is not None:
                notes[number] = " ".join([notes[number], *text.split()]).strip()
    return notes, f"{get_column_letter(column)}{row + 2}"


def _prose(sheet: Worksheet, first_row: int, end: int) -> Iterator[tuple[str, str]]:
    """Yield the text of the first column between two tables, with its address."""
    for row in range(first_row, end):
        text = printed_lines(sheet.cell(row, 1)).strip()
        if text and not text.startswith("MIC determination"):
            yield text, f"A{row}"
