"""The rows of a guideline edition: breakpoints and expected resistance, as facts without files."""

import enum
from dataclasses import dataclass, field
from typing import Final

from sirena.domain.category import Category
from sirena.domain.organisms import Organism, Rank
from sirena.guidelines.sites import Site

NO_SUSCEPTIBLE_CATEGORY: Final = 0.001
"""mg/L. EUCAST writes "S ≤ 0.001" where no MIC is to be reported S; CLSI has such rows as SDD without S."""

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


@dataclass(frozen=True, slots=True)
class Breakpoint:
    """What one guideline table says for one antimicrobial, group of organisms and site."""

    drug: str
    """WHONET antimicrobial code, upper case."""
    rank: Rank
    group: str
    """Name of the group, as in the lineage of organisms; with `rank` it says whom the row is for."""
    sites: tuple[Site, ...]
    susceptible: float | None
    """mg/L; S at or below. `NO_SUSCEPTIBLE_CATEGORY`: nothing is S. None: the row states no S."""
    resistant: float | None
    """mg/L; CLSI: R at or above, EUCAST: R above. None: the row states no R."""
    middle: Category
    """What lies between: `Category.I` or `Category.SDD`."""
    source: str
    """Table of the guideline the figures stand in."""

    @property
    def key(self) -> tuple[str, Rank, str, tuple[Site, ...]]:
        """What makes a row the same row in two editions."""
        return self.drug, self.rank, self.group, self.sites

    @property
    def states_nothing(self) -> bool:
        """True for a row with neither S nor R: it blocks what a wider group says."""
        return self.susceptible is None and self.resistant is None


@dataclass(frozen=True, slots=True)
class ExpectedResistance:
    """An antimicrobial to which a group of organisms is resistant by nature."""

    drug: str
    rank: Rank
    group: str
    exceptions: frozenset[tuple[Rank, str]] = field(default_factory=frozenset)
    """Members of the group the statement is not about."""
    source: str = ""

    @property
    def key(self) -> tuple[str, Rank, str]:
        """What makes a row the same row in two editions."""
        return self.drug, self.rank, self.group

    def covers(self, organism: Organism) -> bool:
        """Tell whether the statement is about the organism."""
        return organism.belongs_to(self.rank, self.group) and not self.exceptions.intersection(organism.lineage)
