"""The rows of a guideline edition: breakpoints and expected resistance, independent of the files that hold them."""

import enum
from dataclasses import dataclass, field
from typing import Final

from sirena.domain.category import Category
from sirena.domain.organisms import Organism, Rank
from sirena.guidelines.sites import URINARY, Indication

NO_SUSCEPTIBLE_CATEGORY: Final = 0.001
"""mg/L. EUCAST writes "S ≤ 0.001" where no MIC is to be reported S; CLSI has such rows as SDD or I without S."""

PK_PD: Final = "PK/PD"
"""Source of breakpoints that name no organism; they are applied only on request."""


class Guideline(enum.StrEnum):
    """The publisher of a guideline, which decides what R in a row means, and the letter of the test columns."""

    CLSI = "CLSI"
    EUCAST = "EUCAST"

    @property
    def letter(self) -> str:
        """The guideline's letter in WHONET's test columns: ``AMK_NM`` is CLSI, ``AMK_EM`` is EUCAST."""
        return {"CLSI": "N", "EUCAST": "E"}[self.value]


class Statement(enum.StrEnum):
    """The kind of a row's statement; the editions' tables hold the value."""

    BREAKPOINT = "breakpoint"
    """Figures: S at or below, R at or above (CLSI) or above (EUCAST)."""
    DASH = "dash"
    """EUCAST's dash: the agent is unsuitable for the species. R at any MIC, without testing."""
    INSUFFICIENT_EVIDENCE = "insufficient evidence"
    """EUCAST's IE (and IP, in preparation): no category can be given."""
    NOTE = "note"
    """The cell refers to a note and holds no figure: no category without reading the note."""
    NOT_APPLICABLE = "not applicable"
    """The guideline tests something else than this agent's MIC (a disk screen): no category."""
    BRACKETED = "bracketed"
    """EUCAST's figure in brackets: R above; at or below it no S and no I without a comment (EUCAST, Notes)."""
    BLOCK = "block"
    """The group's table does not list the agent: wider groups are not searched, and there is no category."""

    @property
    def has_figures(self) -> bool:
        """True if the row must state S or R."""
        return self in (Statement.BREAKPOINT, Statement.BRACKETED)


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """A breakpoint row: what a guideline states for one antimicrobial, group of organisms and indication."""

    drug: str
    """WHONET antimicrobial code, upper case."""
    rank: Rank
    group: str
    """Name of the group, as in the lineage of organisms; `rank` says how wide it is."""
    sites: tuple[Indication, ...]
    susceptible: float | None
    """Breakpoint in mg/L: S at or below it. `NO_SUSCEPTIBLE_CATEGORY`: no MIC is S. None: the row states no S."""
    resistant: float | None
    """Breakpoint in mg/L: R at or above it (CLSI) or above it (EUCAST). None: the row states no R."""
    middle: Category
    """Category between S and R: `Category.I` or `Category.SDD`."""
    source: str
    """Document, table or sheet, and the row if it has a number."""
    statement: Statement = Statement.BREAKPOINT
    readings: int = 1
    """Number of independent readings of the document that agree on the row."""
    doubt: str = ""
    """What a person with the document should check; empty if nothing is in doubt."""
    remark: str = ""
    """A condition of the figures, as the guideline states it: a fixed inhibitor, a medium, a restriction."""

    @property
    def key(self) -> tuple[str, Rank, str, tuple[Indication, ...]]:
        """The key that identifies a row: rows with equal keys in two editions are the same row."""
        return self.drug, self.rank, self.group, self.sites

    @property
    def states_nothing(self) -> bool:
        """True if the row gives no MIC a category."""
        return self.statement not in (Statement.BREAKPOINT, Statement.BRACKETED, Statement.DASH)

    @property
    def urine_only(self) -> bool:
        """True if the row is for isolates from urine only."""
        return bool(URINARY.intersection(self.sites))


@dataclass(frozen=True, slots=True)
class ExpectedResistance:
    """A group of organisms with expected (intrinsic) resistance to an antimicrobial."""

    drug: str
    rank: Rank
    group: str
    exceptions: frozenset[tuple[Rank, str]] = field(default_factory=frozenset)
    """Members of the group to which the statement does not apply."""
    source: str = ""
    readings: int = 1
    """Number of independent readings that agree on the statement."""
    doubt: str = ""
    """What a person with the document should check; empty if nothing is in doubt."""

    @property
    def key(self) -> tuple[str, Rank, str]:
        """The key that identifies a statement: statements with equal keys in two editions are the same."""
        return self.drug, self.rank, self.group

    def covers(self, organism: Organism) -> bool:
        """Tell whether the statement applies to an organism: a member of the group and of none of its exceptions."""
        return organism.belongs_to(self.rank, self.group) and not self.exceptions.intersection(organism.lineage)
