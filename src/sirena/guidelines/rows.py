"""The rows of a guideline edition: statements on susceptibility and expected resistance, as facts without files."""

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
    """Who publishes; decides what "R" in a row means and the letter of the test columns."""

    CLSI = "CLSI"
    EUCAST = "EUCAST"

    @property
    def letter(self) -> str:
        """The letter in WHONET's test columns: ``AMK_NM`` is CLSI, ``AMK_EM`` EUCAST."""
        return {"CLSI": "N", "EUCAST": "E"}[self.value]


class Statement(enum.StrEnum):
    """What a row says; the value stands in our tables."""

    BREAKPOINT = "breakpoint"
    """Figures: S at or below, R at or above (CLSI) or above (EUCAST)."""
    DASH = "dash"
    """EUCAST's dash: the agent is unsuitable for the species. R at any MIC, without testing."""
    INSUFFICIENT_EVIDENCE = "insufficient evidence"
    """EUCAST's IE (and IP, in preparation): no category can be given."""
    NOTE = "note"
    """The cell holds no figure but a reference to a note: no category without reading it."""
    NOT_APPLICABLE = "not applicable"
    """The MIC of this agent is not what is tested (a disk screen): no category."""
    BRACKETED = "bracketed"
    """EUCAST's figure in brackets: R above; at or below it no S and no I without a comment (EUCAST, Notes)."""
    BLOCK = "block"
    """The table of the group leaves the agent out: the search for wider groups ends here, without a category."""

    @property
    def has_figures(self) -> bool:
        """True when the row must state S or R."""
        return self in (Statement.BREAKPOINT, Statement.BRACKETED)


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """What one guideline table says for one antimicrobial, group of organisms and indication."""

    drug: str
    """WHONET antimicrobial code, upper case."""
    rank: Rank
    group: str
    """Name of the group, as in the lineage of organisms; with `rank` it says whom the row is for."""
    sites: tuple[Indication, ...]
    susceptible: float | None
    """mg/L; S at or below. `NO_SUSCEPTIBLE_CATEGORY`: nothing is S. None: the row states no S."""
    resistant: float | None
    """mg/L; CLSI: R at or above, EUCAST: R above. None: the row states no R."""
    middle: Category
    """What lies between: `Category.I` or `Category.SDD`."""
    source: str
    """Document, table or sheet, and row where it has one."""
    statement: Statement = Statement.BREAKPOINT
    readings: int = 1
    """Number of independent readings of the document that agree on the row."""
    doubt: str = ""
    """What a person with the document should look at; empty when nothing is in doubt."""
    remark: str = ""
    """A condition the figures rest on, as the guideline states it: a fixed inhibitor, a medium, a restriction."""

    @property
    def key(self) -> tuple[str, Rank, str, tuple[Indication, ...]]:
        """What makes a row the same row in two editions."""
        return self.drug, self.rank, self.group, self.sites

    @property
    def states_nothing(self) -> bool:
        """True for a row that gives no MIC a category."""
        return self.statement not in (Statement.BREAKPOINT, Statement.BRACKETED, Statement.DASH)

    @property
    def urine_only(self) -> bool:
        """True for a row that is for isolates from urine alone."""
        return bool(URINARY.intersection(self.sites))


@dataclass(frozen=True, slots=True)
class ExpectedResistance:
    """An antimicrobial to which a group of organisms is resistant by nature."""

    drug: str
    rank: Rank
    group: str
    exceptions: frozenset[tuple[Rank, str]] = field(default_factory=frozenset)
    """Members of the group the statement is not about."""
    source: str = ""
    readings: int = 1
    """Number of independent readings that agree on the statement."""
    doubt: str = ""
    """What a person with the document should look at."""

    @property
    def key(self) -> tuple[str, Rank, str]:
        """What makes a row the same row in two editions."""
        return self.drug, self.rank, self.group

    def covers(self, organism: Organism) -> bool:
        """Tell whether the statement is about an organism: a member of the group and of none of its exceptions."""
        return organism.belongs_to(self.rank, self.group) and not self.exceptions.intersection(organism.lineage)
