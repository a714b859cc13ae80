"""EUCAST's breakpoint workbook as a whole: whether a file is such a workbook, which edition it is, and what it states.

Rules, each with a test of like name:

- the first sheet names version and date; a sheet that names another version is not EUCAST's workbook as published;
- every organism in the table of contents has its sheet;
- hidden sheets, PK/PD values and cut-off values for topical agents are not imported: EUCAST says that PK/PD values are
  not to be used where breakpoints are lacking, and cut-off values for topical agents are no breakpoints;
- a table that says there are no breakpoints states nothing.
"""

import datetime
import re
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.xml.constants import REL_NS, SHEET_MAIN_NS
from openpyxl.xml.functions import fromstring

from sirena.guidelines.eucast.cells import has_superscripts, printed_cell
from sirena.guidelines.eucast.completion import complete
from sirena.guidelines.eucast.findings import Undecided, WorkbookError, WorkbookReading
from sirena.guidelines.eucast.layout import place, read_sheet
from sirena.guidelines.eucast.rows import TakenSheet, take_sheet

_HINT: Final = "import the workbook as EUCAST publishes it, in English, without changes"
_DAMAGE: Final = (
    *(OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError),
    *(KeyError, ValueError, TypeError, IndexError, AttributeError, SyntaxError),
)
"""Errors that a damaged file causes: openpyxl has none of its own; a broken part of XML raises a `SyntaxError`."""

_LARGEST: Final = 200_000_000
"""Most bytes that a workbook may unpack to; EUCAST's have 2 to 10 million."""

_FRONT: Final = frozenset({"changes", "notes", "guidance", "dosages", "technical uncertainty"})
_VERSION: Final = re.compile(r"Version (?P<version>\d+\.\d+), valid from (?P<date>\d{4}-\d{2}-\d{2})")
_SHEET_VERSION: Final = re.compile(r"EUCAST Clinical Breakpoint Tables v\. (?P<version>\d+\.\d+), valid from")
_NO_BREAKPOINTS: Final = re.compile(r"EUCAST has not determined breakpoints for")
_CONVERTED: Final = (
    "another program has written the workbook, superscript and struck text are lost: numbers of notes were told by"
    " their runs, and struck notes count"
)
_FIRST_LISTED: Final = "Information on technical uncertainty"
_LAST_LISTED: Final = "Topical agents"


@dataclass(frozen=True, slots=True)
class _Edition:
    version: str
    valid_from: datetime.date


def read_workbook(path: Path) -> WorkbookReading:
    """Read EUCAST's workbook.

    Raises:
        WorkbookError: the file is not EUCAST's workbook, or was damaged or changed; the error names file, sheet and
            cell.
    """
    try:
        return _read(_opened(path))
    except WorkbookError as error:
        raise WorkbookError(f"{path.name}: {error}", hint=error.hint) from None


def _read(workbook: Workbook) -> WorkbookReading:
    edition = _edition(workbook)
    tables, left_out = _tables(workbook, edition)
    sheets: list[TakenSheet] = []
    headings: set[str] = set()
    superscripts = has_superscripts(cell for sheet in tables for cells in sheet.iter_rows() for cell in cells)
    for sheet in tables:
        headings.add(_first_words(printed_cell(sheet.cell(1, 1)).text))
        sheet_content = read_sheet(sheet, superscripts)
        if sheet_content is not None:
            sheets.append(take_sheet(sheet_content, superscripts))
        elif any(_NO_BREAKPOINTS.search(printed_cell(row[0]).text) for row in sheet.iter_rows()):
            left_out.append(Undecided(sheet.title.strip(), "A1", "EUCAST states no breakpoints there"))
        else:
            raise WorkbookError(f"{place(sheet, 1, 1)}: the sheet has no table of MIC breakpoints", hint=_HINT)
    _check_contents(workbook["Content"], headings)
    statements, contradictions = complete(sheets)
    to_check = [item for sheet in sheets for item in sheet.to_check]
    if not superscripts:
        to_check.insert(0, Undecided("Content", "A1", _CONVERTED))
    return WorkbookReading(
        edition=f"EUCAST {edition.valid_from.year}",
        version=edition.version,
        valid_from=edition.valid_from,
        statements=statements,
        undecided_cells=(*(item for sheet in sheets for item in sheet.undecided_cells), *contradictions),
        to_check=tuple(to_check),
        left_out=tuple(left_out),
    )


def _opened(path: Path) -> Workbook:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(part.file_size for part in archive.infolist()) > _LARGEST:
                raise WorkbookError("the file unpacks to more than a workbook of EUCAST's", hint=_HINT)
        # openpyxl leaves a damaged file open when it opens it itself
        with warnings.catch_warnings(), path.open("rb") as stream:
            warnings.simplefilter("ignore")  # drawings of inhibition zones are not read
            return load_workbook(stream, rich_text=True)
    except FileNotFoundError:
        raise WorkbookError("there is no such file", hint="check the path") from None
    except _DAMAGE:
        raise WorkbookError(f"{_damaged_sheet(path)}this is no Excel workbook, or it is damaged", hint=_HINT) from None


def _damaged_sheet(path: Path) -> str:
    """Return the first sheet whose part cannot be read, as messages name it; empty if none can be named."""
    try:
        with zipfile.ZipFile(path) as archive:
            targets = {
                relation.get("Id"): relation.get("Target", "").removeprefix("/xl/")
                for relation in fromstring(archive.read("xl/_rels/workbook.xml.rels"))
            }
            for sheet in fromstring(archive.read("xl/workbook.xml")).iter(f"{{{SHEET_MAIN_NS}}}sheet"):
                try:
                    fromstring(archive.read(f"xl/{targets[sheet.get(f'{{{REL_NS}}}id')]}"))
                except _DAMAGE:
                    return f"sheet {sheet.get('name')}: "
    except _DAMAGE:
        pass
    return ""


def _edition(workbook: Workbook) -> _Edition:
    if "Content" not in workbook.sheetnames:
        raise WorkbookError("sheet Content, cell A1: the sheet is missing", hint=_HINT)
    sheet = workbook["Content"]
    match = _VERSION.search(printed_cell(sheet["A3"]).text)
    if match is None:
        raise WorkbookError(f"{place(sheet, 3, 1)}: version and date are expected here in English", hint=_HINT)
    try:
        return _Edition(match["version"], datetime.date.fromisoformat(match["date"]))
    except ValueError:
        raise WorkbookError(f"{place(sheet, 3, 1)}: the date is none", hint=_HINT) from None


def _tables(workbook: Workbook, edition: _Edition) -> tuple[list[Worksheet], list[Undecided]]:
    """Return the sheets that should hold tables, and those that are not read."""
    tables, left_out = [], []
    for sheet in workbook.worksheets:
        name = sheet.title.strip()
        words = name.lower().replace("_", " ").replace("/", " ").replace("-", " ").split()
        if sheet.title == "Content" or " ".join(words) in _FRONT:
            continue
        if words[:2] == ["pk", "pd"]:
            left_out.append(Undecided(name, "A1", "PK/PD values are not to be used in place of breakpoints"))
        elif sheet.sheet_state != "visible":
            left_out.append(Undecided(name, "A1", "the sheet is hidden"))
        elif words == ["topical", "agents"]:
            left_out.append(Undecided(name, "A1", "cut-off values for topical use are no clinical breakpoints"))
        else:
            _check_version(sheet, edition)
            tables.append(sheet)
    return tables, left_out


def _check_version(sheet: Worksheet, edition: _Edition) -> None:
    for cell in sheet[1]:
        if match := _SHEET_VERSION.search(printed_cell(cell).text):
            if match["version"] != edition.version:
                address = place(sheet, cell.row, cell.column)
                raise WorkbookError(f"{address}: the sheet is of another version than the workbook", hint=_HINT)
            return
    raise WorkbookError(f"{place(sheet, 1, 1)}: the sheet's first row does not name EUCAST's tables", hint=_HINT)


def _check_contents(sheet: Worksheet, headings: set[str]) -> None:
    is_in_list = False
    for row in range(1, sheet.max_row + 1):
        text = printed_cell(sheet.cell(row, 1)).text
        if text == _LAST_LISTED:
            return
        if is_in_list and _first_words(text) not in headings:
            raise WorkbookError(f"{place(sheet, row, 1)}: a table is listed here that no sheet holds", hint=_HINT)
        is_in_list = is_in_list or text == _FIRST_LISTED
    raise WorkbookError(f"{place(sheet, 1, 1)}: the table of contents is not EUCAST's", hint=_HINT)


def _first_words(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+", text.lower())[:2])
