"""One table of the workbook: how its rows become statements.

Rules, each with a test of like name:

- if S and R are of different kinds, or S is above R, the row is left to a person;
- a row for some organisms also holds for other organisms, if the sheet says that these are read like them;
- organisms that a row, its notes or its table leave out are kept aside for `sirena.guidelines.eucast.completion`;
- a note that holds for oral treatment only makes the row one for the oral route; a note that limits breakpoints in
  words that are not understood leaves the row to a person, and so does a table's name with something in brackets;
- a test for high-level resistance has its figure in a note, which names it for a negative and a positive test; an MIC
  above it is R, and no MIC is S;
- a row whose notes hold other figures is imported as printed, and listed for a person to check.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from openpyxl.cell.cell import Cell, MergedCell

from sirena.domain.antimicrobials import HIGH_LEVEL
from sirena.guidelines.eucast.cells import Value, read_value
from sirena.guidelines.eucast.findings import Group, UndecidableError, Undecided, WorkbookStatement
from sirena.guidelines.eucast.layout import BreakpointTable, Sheet, TableRow
from sirena.guidelines.eucast.scope import Scope, excluded_by_note, read_scope
from sirena.guidelines.eucast.titles import read_title
from sirena.guidelines.rows import Statement
from sirena.guidelines.sites import Indication

_CAPTION: Final = re.compile(r"[A-Z][a-z]+ (?:spp\.|[a-z]+)")
_ORAL_ONLY: Final = re.compile(r"\bapply to oral treatment\b")
_LIMIT: Final = re.compile(
    r"\bbreakpoints?\b[^.]*\b(?:not valid|only valid|valid (?:only )?for|do not apply|apply (?:only )?to|only apply"
    r"|restricted to|limited to|cannot be used)",
    re.IGNORECASE,
)
_FIXED_INHIBITOR: Final = re.compile(
    r"the concentration of (?P<inhibitor>[a-z]+(?: acid)?) is fixed at (?P<figure>\d+) mg/L"
)
_SCREEN: Final = re.compile(
    r"Negative test: Isolates with \w+ MIC ≤(\d+) mg/L.*Positive test: Isolates with \w+ MIC >(\d+) mg/L"
)
_FIGURES_IN_NOTE: Final = re.compile(r"\bMICs?\b[^.]*[<>≤≥]\s?\d|\bECOFFs?\b[^.]*\d|\bscreen value of \d")


@dataclass(frozen=True, slots=True)
class TakenRow:
    """The statements of one row of the workbook, and the organisms that the row leaves out."""

    statements: tuple[WorkbookStatement, ...]
    exceptions: tuple[Group, ...]
    """Groups for which the row does not hold."""
    names_organisms: bool
    """True if the row is for organisms that its title names, and not for the whole table."""
    for_others: bool
    """True if the row is for all organisms but those that have a row of their own."""


@dataclass(frozen=True, slots=True)
class TakenSheet:
    """The result of reading one sheet."""

    rows: tuple[TakenRow, ...]
    undecided_cells: tuple[Undecided, ...]
    to_check: tuple[Undecided, ...]


def take_sheet(sheet: Sheet, superscripts: bool) -> TakenSheet:
    """Return the statements of all tables of a sheet.

    >>> from openpyxl import Workbook
    >>> from sirena.guidelines.eucast.layout import read_sheet
    >>> sheet = Workbook().active
    >>> header = ["Penicillins", "MIC breakpoints (mg/L)", None, "Notes on penicillins"]
    >>> for cells in ["Pasteurella spp."], header, [None, "S ≤", "R >"], ["Ampicillin", 1, 2]:
    ...     sheet.append(cells)
    >>> statement = take_sheet(read_sheet(sheet, superscripts=True), superscripts=True).rows[0].statements[0]
    >>> statement.drug, statement.group, statement.susceptible, statement.resistant
    ('AMP', 'Pasteurella', 1.0, 2.0)
    """
    rows: list[TakenRow] = []
    undecided_cells = [Undecided(sheet.name, cell, _ending(text)) for text, cell in sheet.endings]
    to_check: list[Undecided] = []
    for table in sheet.tables:
        try:
            scope = _scope(sheet, table)
        except UndecidableError as error:
            reason = f"{error}; no row of the tables below it is taken"
            undecided_cells.append(Undecided(sheet.name, error.cell or "A1", reason))
            continue
        for row in table.rows:
            try:
                rows.append(_take(sheet.name, table, row, scope, superscripts))
            except UndecidableError as error:
                undecided_cells.append(Undecided(sheet.name, error.cell or row.title_cell, str(error)))
            else:
                to_check += _to_check(sheet.name, table, row, rows[-1])
    return TakenSheet(tuple(rows), tuple(dict.fromkeys(undecided_cells)), tuple(to_check))


def _ending(text: str) -> str:
    return "the row has no figures" if text else "the row has no title"


def _scope(sheet: Sheet, table: BreakpointTable) -> Scope:
    if "(" in table.heading.text:
        raise UndecidableError("the name of the table may limit it", table.heading_cell)
    caption = next((text for text, _ in table.prose if _CAPTION.fullmatch(text)), None)
    if caption is not None:
        return read_scope(caption, table.prose)
    first_table = sheet.tables[0]
    return read_scope(sheet.heading, first_table.prose if table is first_table else (*first_table.prose, *table.prose))


def _take(sheet: str, table: BreakpointTable, row: TableRow, scope: Scope, superscripts: bool) -> TakenRow:
    title = read_title(row.title.text)
    susceptible, resistant = _value(row.susceptible, superscripts), _value(row.resistant, superscripts)
    _check(susceptible, resistant, row)
    marks = tuple(dict.fromkeys((*table.heading.marks, *row.title.marks, *susceptible.marks, *resistant.marks)))
    if not superscripts and not set(marks) <= set(table.notes):
        raise UndecidableError("a number behind the figure is that of no note, and superscripts were lost")
    notes = [table.notes.get(mark, "") for mark in marks]
    organisms = scope.naming.read(title.organisms) if title.organisms else None
    groups = scope.widen(organisms.groups if organisms else scope.groups)
    left_out = [group for note in notes for group in excluded_by_note(note, scope.naming)]
    oral = any(_ORAL_ONLY.search(note) for note in notes)
    if any(_LIMIT.search(note) for note in notes) and not (left_out or oral):
        raise UndecidableError("a note limits the breakpoints in words that are not understood")
    statements = tuple(
        WorkbookStatement(
            drug=drug,
            rank=rank,
            group=group,
            indications=_with_route(indications, oral),
            kind=susceptible.kind,
            susceptible=susceptible.figure,
            resistant=resistant.figure,
            marks=marks,
            sheet=sheet,
            row=row.number,
            remark=_fixed_inhibitor(notes),
        )
        for drug, indications in title.answers
        for rank, group in groups
    )
    statements = tuple(_screened(statement, notes) for statement in statements)
    exceptions = (*(organisms.exceptions if organisms else ()), *scope.exceptions, *left_out)
    for_others = title.organisms.lower().startswith("other ")
    return TakenRow(statements, tuple(dict.fromkeys(exceptions)), organisms is not None and not for_others, for_others)


def _value(cell: Cell | MergedCell, superscripts: bool) -> Value:
    try:
        return read_value(cell, superscripts)
    except UndecidableError as error:
        raise UndecidableError(str(error), cell.coordinate) from None


def _check(susceptible: Value, resistant: Value, row: TableRow) -> None:
    if susceptible.kind is not resistant.kind:
        raise UndecidableError("S and R are of different kinds", row.resistant.coordinate)
    if susceptible.figure is not None and resistant.figure is not None and susceptible.figure > resistant.figure:
        raise UndecidableError("S is above R", row.resistant.coordinate)


def _with_route(indications: tuple[Indication, ...], oral: bool) -> tuple[Indication, ...]:
    return (Indication.ORAL, *indications) if oral and Indication.ORAL not in indications else indications


def _fixed_inhibitor(notes: Iterable[str]) -> str:
    matches = (_FIXED_INHIBITOR.search(note) for note in notes)
    return "; ".join(f"{match['inhibitor']} fixed at {match['figure']} mg/L" for match in matches if match)


def _screened(statement: WorkbookStatement, notes: Iterable[str]) -> WorkbookStatement:
    """Return a statement with the figure from its note, if the antimicrobial is a screen for high-level resistance."""
    if statement.drug not in HIGH_LEVEL or statement.kind is not Statement.NOTE:
        return statement
    figures = {figure for note in notes for match in _SCREEN.finditer(note) for figure in match.groups()}
    if len(figures) != 1:
        return statement
    # a negative test is not susceptible: EUCAST calls it wild type
    return replace(statement, kind=Statement.BREAKPOINT, resistant=float(figures.pop()), remark="figure of a note")


def _to_check(sheet: str, table: BreakpointTable, row: TableRow, taken_row: TakenRow) -> Iterator[Undecided]:
    marks = [mark for mark in taken_row.statements[0].marks if _FIGURES_IN_NOTE.search(table.notes.get(mark, ""))]
    if marks:
        yield Undecided(
            sheet, row.title_cell, f"note {', '.join(marks)} in {table.notes_cell} holds figures of its own"
        )
