"""The breakpoints of a species on the dilution scale: each lies between two dilutions, never on one.

They are read from the truth table that answered: the last S dilution and the first R dilution.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sirena.domain.category import Category
from sirena.domain.mic import DILUTIONS, MINIMUM_EXPONENT
from sirena.domain.site import Site
from sirena.domain.truth_table import ANSWERS, TruthTable

_OFF_SCALE: Final = -10
"""Exponent of 0.001 mg/L, since EUCAST's "S <= 0.001" means that no MIC is S."""


@dataclass(frozen=True, slots=True)
class BreakpointEdges:
    """The last S dilution and the first R dilution, as exponents of two; None for a missing one."""

    susceptible: int | None
    resistant: int | None

    @property
    def positions(self) -> list[float]:
        """Positions of the lines in a chart: half a dilution above the last S, half a dilution below the first R.

        >>> BreakpointEdges(susceptible=-2, resistant=0).positions
        [-1.5, -0.5]
        """
        edges = set()
        if self.susceptible is not None:
            edges.add(self.susceptible + 0.5)
        if self.resistant is not None:
            edges.add(self.resistant - 0.5)
        return sorted(edges)

    def category(self, exponent: int) -> str:
        """Return S, I or R for a dilution; a dash if there are no breakpoints.

        Between S and R the category is I; for some drugs of CLSI this stands for SDD.
        """
        if self.susceptible is None and self.resistant is None:
            return "–"
        if self.resistant is not None and exponent >= self.resistant:
            return "R"
        return "S" if self.susceptible is not None and exponent <= self.susceptible else "I"


def breakpoint_edges(table: TruthTable, organisms: Iterable[str], site: Site) -> BreakpointEdges:
    """Return the breakpoints for the first organism in a list for which the table gives an answer.

    Args:
        table: truth table of one antimicrobial.
        organisms: WHONET codes, the commonest first.
        site: body site of the infection.
    """
    for organism in organisms:
        row = table.row(organism, site)
        if row is None:
            continue
        answers = [ANSWERS[code] for code in table.cells[row][:DILUTIONS]]
        categories = [None if answer is None else answer.category for answer in answers]
        susceptible = [
            number + MINIMUM_EXPONENT for number, category in enumerate(categories) if category is Category.S
        ]
        resistant = [
            number + MINIMUM_EXPONENT
            for number, category in enumerate(categories)
            if category in (Category.R, Category.NS)
        ]
        if susceptible or resistant:
            last_susceptible = susceptible[-1] if susceptible and susceptible[-1] > _OFF_SCALE else None
            return BreakpointEdges(last_susceptible, resistant[0] if resistant else None)
    return BreakpointEdges(None, None)
