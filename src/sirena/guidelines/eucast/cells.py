"""Cells of EUCAST's workbook: the printed text, the notes it refers to, and what is struck out.

Rules, each with a test of like name:

- superscript text is the number of a note and never part of a figure;
- struck text has been removed by EUCAST and is not read;
- a figure is a dilution as EUCAST prints them (0.06, not 0.0625); in brackets it is a bracketed breakpoint;
- a workbook that another program has converted may have lost its superscripts; the runs (parts of one format) of its
  cells remain, and a run of numbers after a complete figure is taken for a note's number. If figure and numbers are one
  run, or the workbook has superscripts elsewhere, a person must decide.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.cell.rich_text import CellRichText, TextBlock

from sirena.guidelines.eucast.findings import UndecidableError
from sirena.guidelines.rows import Statement

_DILUTIONS: Final = frozenset(
    {0.001, 0.002, 0.004, 0.008, 0.016, 0.03, 0.06, 0.125, 0.25, 0.5} | {float(2**power) for power in range(12)}
)
"""Dilutions as EUCAST prints them, mg/L; 0.001 stands for "no MIC is susceptible"."""

_WORDS: Final = {
    "-": Statement.DASH,
    "–": Statement.DASH,
    "IE": Statement.INSUFFICIENT_EVIDENCE,
    "IP": Statement.INSUFFICIENT_EVIDENCE,
    "NOTE": Statement.NOTE,
    "NA": Statement.NOT_APPLICABLE,
}
_FIGURE: Final = re.compile(r"(?P<open>\()?(?P<number>\d+(?:\.\d+)?)(?P<close>\))?")
_MARKS: Final = re.compile(r"[\s,]*[0-9]{1,2}(?:\s*,\s*[0-9]{1,2})*[\s,]*")
_MARK_IN_TITLE: Final = re.compile(r"(?<=[a-z).])\s?\d{1,2}(?:,\d{1,2})*(?=[\s,]|$)")


@dataclass(frozen=True, slots=True)
class Run:
    """A run: a part of a cell's text that has one format."""

    text: str
    superscript: bool = False
    is_struck: bool = False


@dataclass(frozen=True, slots=True)
class Printed:
    """A cell's text without struck and superscript parts, and the numbers of the notes it refers to."""

    text: str
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Value:
    """What an S or R cell states."""

    kind: Statement
    figure: float | None
    """Figure in mg/L; None if the cell holds a word."""
    marks: tuple[str, ...]


def _runs_of(cell: Cell | MergedCell) -> tuple[Run, ...]:
    """Return the runs of a cell; empty if the cell is empty."""
    value = cell.value
    if value is None:
        return ()
    own = cell.font.vertAlign == "superscript", bool(cell.font.strike)
    if not isinstance(value, CellRichText):
        return (Run(_spelled(value), *own),)
    return tuple(
        Run(part.text, part.font.vertAlign == "superscript", bool(part.font.strike))
        if isinstance(part, TextBlock)
        else Run(part, *own)
        for part in value
    )


def _spelled(value: object) -> str:
    # Excel keeps 8 as a number and "8¹" as text; anything else, a date made of a figure, stays unreadable
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def has_superscripts(cells: Iterable[Cell | MergedCell]) -> bool:
    """Tell whether any of the cells holds a superscript.

    >>> from openpyxl import Workbook
    >>> from openpyxl.cell.text import InlineFont
    >>> figure = CellRichText("8", TextBlock(InlineFont(vertAlign="superscript"), "1"))
    >>> sheet = Workbook().active
    >>> has_superscripts([sheet.cell(1, 1, "8")]), has_superscripts([sheet.cell(1, 2, figure)])
    (False, True)
    """
    return any(run.superscript for cell in cells for run in _runs_of(cell))


def printed_cell(cell: Cell | MergedCell) -> Printed:
    """Return what a cell prints; successive blanks and line ends become one space.

    >>> from openpyxl import Workbook
    >>> from openpyxl.cell.text import InlineFont
    >>> figure = CellRichText("8", TextBlock(InlineFont(vertAlign="superscript"), "1,2"))
    >>> printed_cell(Workbook().active.cell(1, 1, figure))
    Printed(text='8', marks=('1', '2'))
    """
    live = [run for run in _runs_of(cell) if not run.is_struck]
    text = "".join(run.text for run in live if not run.superscript)
    return Printed(" ".join(text.split()), _split(run.text for run in live if run.superscript))


def printed_lines(cell: Cell | MergedCell) -> str:
    r"""Return what a cell prints with its line ends; struck and superscript text is left out.

    >>> from openpyxl import Workbook
    >>> printed_lines(Workbook().active.cell(1, 1, "1. The first note\nA. A note on zone diameters")).splitlines()
    ['1. The first note', 'A. A note on zone diameters']
    """
    return "".join(run.text for run in _runs_of(cell) if not run.is_struck and not run.superscript)


def printed_title(cell: Cell | MergedCell, superscripts: bool) -> Printed:
    """Return a row's title; if the workbook lost its superscripts, numbers after a word count as notes.

    No antimicrobial, indication or organism of EUCAST's has a number in its name.

    >>> from openpyxl import Workbook
    >>> printed_title(Workbook().active.cell(1, 1, "Ampicillin1,2"), superscripts=False)
    Printed(text='Ampicillin', marks=('1', '2'))
    """
    title = printed_cell(cell)
    if superscripts:
        return title
    marks = _split(_MARK_IN_TITLE.findall(title.text))
    return Printed(_MARK_IN_TITLE.sub("", title.text), (*title.marks, *marks))


def read_value(cell: Cell | MergedCell, superscripts: bool) -> Value:
    """Read an S or R cell.

    Args:
        cell: the cell.
        superscripts: whether the workbook has kept its superscripts.

    Raises:
        UndecidableError: the cell is empty, or holds neither a figure nor a word that EUCAST uses.

    >>> from openpyxl import Workbook
    >>> sheet = Workbook().active
    >>> read_value(sheet.cell(1, 1, "(8)"), superscripts=True)
    Value(kind=<Statement.BRACKETED: 'bracketed'>, figure=8.0, marks=())
    >>> read_value(sheet.cell(1, 2, "IE"), superscripts=True).kind
    <Statement.INSUFFICIENT_EVIDENCE: 'insufficient evidence'>
    """
    figure, marks = "", []
    for run in _runs_of(cell):
        if run.is_struck or not run.text.strip():
            continue
        if run.superscript:
            marks.append(run.text)
        elif _is_whole(figure) and _MARKS.fullmatch(run.text):
            if superscripts:
                raise UndecidableError("numbers follow the figure without being superscript")
            marks.append(run.text)
        else:
            figure += run.text.strip()
    kind, number = _read(figure)
    return Value(kind, number, _split(marks))


def _is_whole(text: str) -> bool:
    try:
        _read(text)
    except UndecidableError:
        return False
    return True


def _read(text: str) -> tuple[Statement, float | None]:
    if not text:
        raise UndecidableError("the cell is empty")
    word = _WORDS.get(text.upper())
    if word is not None:
        return word, None
    match = _FIGURE.fullmatch(text)
    if match is None or bool(match["open"]) != bool(match["close"]):
        raise UndecidableError("the cell holds neither a figure nor a word of EUCAST's")
    number = float(match["number"])
    if number not in _DILUTIONS:
        raise UndecidableError("the figure is no dilution as EUCAST prints them")
    return (Statement.BRACKETED if match["open"] else Statement.BREAKPOINT), number


def _split(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(part for text in texts for part in re.split(r"[\s,]+", text) if part)
