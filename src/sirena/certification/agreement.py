"""Agreement with held-out results: CA, VME, ME, mE, each with a 95 % interval.

The rates are over results that the model answers; what it refuses is counted apart, never as an error and never
in a denominator, because a refusal harms nobody and would thin the rates. Very major errors are over results the
reference calls R or NS, major errors over those it calls S, the rest over all answered. I and SDD are one level,
as are R and NS: laboratories use both names for one finding.

Intervals are Clopper-Pearson's, whose coverage is never below 95 %, also for the few resistant isolates of a new
drug, where the normal approximation gives a width of zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import scipy

CONFIDENCE: Final = 0.95
"""Two-sided coverage of every interval."""
LEVELS: Final = (0, 1, 2)
"""Levels of susceptibility: S; I or SDD; R or NS."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Events of a number of results, with the exact binomial interval."""

    events: int
    results: int

    @property
    def share(self) -> float:
        """Events as a fraction; not a number when there are no results."""
        return self.events / self.results if self.results else float("nan")

    @property
    def lower(self) -> float:
        """Lower 95 % limit; 0 when there are no results."""
        if self.events == 0:
            return 0.0
        return float(scipy.special.betaincinv(self.events, self.results - self.events + 1, (1 - CONFIDENCE) / 2))

    @property
    def upper(self) -> float:
        """Upper 95 % limit; 1 when there are no results, for nothing is excluded."""
        if self.events == self.results:
            return 1.0
        return float(scipy.special.betaincinv(self.events + 1, self.results - self.events, (1 + CONFIDENCE) / 2))

    def __str__(self) -> str:
        if not self.results:
            return "0 of 0"
        return f"{self.events} of {self.results} ({self.share:.2%}, 95 % {self.lower:.2%} to {self.upper:.2%})"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts over held-out results with a label."""

    results: int = 0
    """Labelled results asked."""
    answered: int = 0
    """Of these, answered with a category."""
    agreed: int = 0
    """Answered at the label's level."""
    resistant: int = 0
    """Answered results the label calls R or NS."""
    susceptible: int = 0
    """Answered results the label calls S."""
    very_major: int = 0
    major: int = 0
    minor: int = 0

    @property
    def answering(self) -> Rate:
        """Answered of all labelled results."""
        return Rate(self.answered, self.results)

    @property
    def categorical(self) -> Rate:
        """CA: agreed of answered."""
        return Rate(self.agreed, self.answered)

    @property
    def very_major_error(self) -> Rate:
        """VME: answered S, of results labelled R."""
        return Rate(self.very_major, self.resistant)

    @property
    def major_error(self) -> Rate:
        """ME: answered R, of results labelled S."""
        return Rate(self.major, self.susceptible)

    @property
    def minor_error(self) -> Rate:
        """mE: one side I or SDD, of answered."""
        return Rate(self.minor, self.answered)

    def __add__(self, other: "Agreement") -> "Agreement":
        """Pool two disjoint sets of results."""
        mine, theirs = asdict(self), asdict(other)
        return Agreement(**{name: mine[name] + theirs[name] for name in mine})

    @classmethod
    def of_confusion(cls, labelled: int, confusion: Sequence[Sequence[int]]) -> "Agreement":
        """Return the counts of a confusion table.

        Args:
            labelled: results with a label, answered or refused.
            confusion: 3 × 3 answered results, label's level by answer's level (S; I or SDD; R or NS).

        Raises:
            ValueError: the table is not 3 × 3 or holds more results than were labelled.
        """
        table = np.asarray(confusion)
        if table.shape != (len(LEVELS), len(LEVELS)) or not 0 <= table.sum() <= labelled:
            raise ValueError(f"a confusion of shape {table.shape} for {labelled} labelled results")
        agreed, very_major, major = int(table.trace()), int(table[2, 0]), int(table[0, 2])
        answered = int(table.sum())
        return cls(
            results=labelled,
            answered=answered,
            agreed=agreed,
            resistant=int(table[2].sum()),
            susceptible=int(table[0].sum()),
            very_major=very_major,
            major=major,
            minor=answered - agreed - very_major - major,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the counts; `from_json` reads them, rates and intervals follow from them."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Agreement":
        """Read what `to_json` wrote.

        Raises:
            TypeError: the document is not such a count.
        """
        return cls(**document)
