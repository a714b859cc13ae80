"""A workbook laid out as EUCAST's are, small, with words of our own where words may be."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.worksheet.worksheet import Worksheet

Text = Any
"""What a cell may hold: a text, a number, a text in runs (`CellRichText`, which has no types), nothing."""

SUPERSCRIPT = InlineFont(vertAlign="superscript")
STRUCK = InlineFont(strike=True)


def noted(text: str, marks: str, after: str = "") -> CellRichText:
    """Return a text that refers to notes, as EUCAST prints them."""
    return CellRichText(text, TextBlock(SUPERSCRIPT, marks), after)


def plain_runs(*texts: str) -> CellRichText:
    """Return a text in several runs whose superscripts another program has lost."""
    return CellRichText(*(TextBlock(InlineFont(sz=8 + size), text) for size, text in enumerate(texts)))


def struck(text: str) -> CellRichText:
    """Return a text that EUCAST has struck out."""
    return CellRichText(TextBlock(STRUCK, text))


def small_workbook(
    path: Path,
    rows: Sequence[tuple[Text, Text, Text]],
    *,
    heading: str = "Pasteurella spp.",
    prose: Iterable[Text] = (),
    notes: Text = None,
    table: Text = "Penicillins",
    more: Iterable[tuple[str, Sequence[tuple[Text, Text, Text]]]] = (),
    version: str = "15.0, valid from 2025-01-01",
) -> Path:
    """Write a workbook with one table, or one for each further heading and its rows."""
    workbook = Workbook()
    content = workbook.active
    content.title = "Content"
    headings = [heading, *(further for further, _ in more)]
    content["A3"] = f"Version {version}"
    for row, text in enumerate(("Information on technical uncertainty", *headings, "Topical agents"), 5):
        content.cell(row, 1, text)
    _sheet(workbook.create_sheet("First"), heading, rows, prose, notes, table)
    for number, (further, its_rows) in enumerate(more, 2):
        _sheet(workbook.create_sheet(f"Table {number}"), further, its_rows, (), None, "Penicillins")
    for sheet in workbook.worksheets[1:]:
        sheet["I1"] = f"EUCAST Clinical Breakpoint Tables v. {version}"
    workbook.save(path)
    return path


def _sheet(
    sheet: Worksheet,
    heading: str,
    rows: Sequence[tuple[Text, Text, Text]],
    prose: Iterable[Text],
    notes: Text,
    table: Text,
) -> None:
    sheet["A1"] = heading
    line = 2
    for paragraph in prose:
        sheet.cell(line, 1, paragraph)
        line += 1
    header = line + 1
    sheet.cell(header, 1, table)
    sheet.cell(header, 2, "MIC breakpoints \n(mg/L)")
    sheet.cell(header, 9, "Notes \nabout MICs and zones")
    sheet.cell(header + 1, 2, "S ≤")
    sheet.cell(header + 1, 3, "R >")
    sheet.cell(header + 2, 9, notes)
    for number, row in enumerate(rows, header + 2):
        for column, value in enumerate(row, 1):
            sheet.cell(number, column, value)
