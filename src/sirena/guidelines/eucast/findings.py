"""The results of reading a workbook: statements, and the cells that a person must look at."""

import datetime
from dataclasses import dataclass

from sirena.domain.errors import SirenaError
from sirena.domain.organisms import Rank
from sirena.guidelines.rows import Statement
from sirena.guidelines.sites import Indication

Group = tuple[Rank, str]
"""Rank and name of a group of organisms, as in an organism's lineage."""


class WorkbookError(SirenaError):
    """A workbook has a layout other than EUCAST's, or is damaged; nothing is imported from it."""

    code = "eucast_workbook"


class UndecidableError(Exception):
    """A cell or row cannot be read with certainty. The error's text says why, without the cell's contents."""

    def __init__(self, reason: str, cell: str = "") -> None:
        super().__init__(reason)
        self.cell = cell
        """Address of the cell, if it is another than the row's own."""


@dataclass(frozen=True, slots=True)
class WorkbookStatement:
    """What one row of the workbook states for one antimicrobial and one group of organisms."""

    drug: str
    """WHONET antimicrobial code."""
    rank: Rank
    group: str
    """Name of the group; `rank` says how wide it is."""
    indications: tuple[Indication, ...]
    """Routes, sites or purposes that the row is limited to; empty if it is not limited."""
    kind: Statement
    susceptible: float | None
    """Breakpoint in mg/L: S at or below it. None: the row prints no figure."""
    resistant: float | None
    """Breakpoint in mg/L: R above it. None: the row prints no figure."""
    marks: tuple[str, ...]
    """Numbers of the notes that the row, its cells and its heading refer to."""
    sheet: str
    row: int
    """Number of the row that the statement was read from."""
    remark: str = ""
    """A condition that follows from the sheet rather than from the row itself."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """A cell that the importer leaves to a person."""

    sheet: str
    cell: str
    """Address: ``A47``."""
    reason: str


@dataclass(frozen=True, slots=True)
class WorkbookReading:
    """Everything that was read from one workbook."""

    edition: str
    """Name of the edition, ``EUCAST 2025``, from the date that the workbook says it is valid from."""
    version: str
    """EUCAST's version number: ``15.0``."""
    valid_from: datetime.date
    """Day from which EUCAST wants the tables used."""
    statements: tuple[WorkbookStatement, ...]
    undecided_cells: tuple[Undecided, ...]
    """Cells from which nothing was imported."""
    to_check: tuple[Undecided, ...]
    """Cells that were imported as printed, but whose notes say more than figures can."""
    left_out: tuple[Undecided, ...]
    """Sheets that are not read, with the reason."""
