"""What comes of reading a workbook: statements, and the cells that a person must look at."""

import datetime
from dataclasses import dataclass

from sirena.domain.errors import SirenaError
from sirena.domain.organisms import Rank
from sirena.guidelines.rows import Statement
from sirena.guidelines.sites import Indication

Group = tuple[Rank, str]
"""Rank and name of a group of organisms, as in their lineage."""


class WorkbookError(SirenaError):
    """A workbook is not laid out as EUCAST's are, or is damaged; nothing of it is taken."""

    code = "eucast_workbook"


class UndecidableError(Exception):
    """One cell or row cannot be read with certainty. The text says why, for a person, without the cell's contents."""

    def __init__(self, reason: str, cell: str = "") -> None:
        super().__init__(reason)
        self.cell = cell
        """Address, where it is another than that of the row in hand."""


@dataclass(frozen=True, slots=True)
class WorkbookStatement:
    """What one row of the workbook says for one antimicrobial and one group of organisms."""

    drug: str
    """WHONET antimicrobial code."""
    rank: Rank
    group: str
    """Name of the group; with `rank` it says whom the statement is for."""
    indications: tuple[Indication, ...]
    """Route, site or purpose the row is limited to; empty when it is limited to none."""
    kind: Statement
    susceptible: float | None
    """mg/L; S at or below. None: the row prints no figure."""
    resistant: float | None
    """mg/L; R above. None: the row prints no figure."""
    marks: tuple[str, ...]
    """Numbers of the notes that the row, its cells and its heading refer to."""
    sheet: str
    row: int
    """Sheet and row it was read from."""
    remark: str = ""
    """A condition that follows from the sheet and not from the row itself."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """A cell that the importer leaves to a person."""

    sheet: str
    cell: str
    """Address: ``A47``."""
    reason: str


@dataclass(frozen=True, slots=True)
class WorkbookReading:
    """Everything read from one workbook."""

    edition: str
    """``EUCAST 2025``, from the date the workbook says it is valid from."""
    version: str
    """EUCAST's own number: ``15.0``."""
    valid_from: datetime.date
    """Day from which EUCAST wants it used."""
    statements: tuple[WorkbookStatement, ...]
    undecided: tuple[Undecided, ...]
    """Cells of which nothing was taken."""
    to_check: tuple[Undecided, ...]
    """Cells that were taken as printed, but whose notes say more than figures can."""
    left_out: tuple[Undecided, ...]
    """Sheets that are not read, with the reason."""
