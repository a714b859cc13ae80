"""Agreement with held-out results: CA, VME, ME and mE, each with a 95 % confidence interval.

The rates are shares of the results that the model answers. Refusals are counted separately, never as errors and never
in a denominator, because a refusal harms nobody and would make the rates look smaller. The denominator of very major
errors is the results whose reference is R or NS, that of major errors those whose reference is S, that of the other
rates all answered results. I and SDD are one level, as are R and NS: laboratories use both names for the same finding.

Intervals are Clopper-Pearson's, whose coverage is never below 95 %, even for the few resistant isolates of a new drug,
for which the normal approximation may give a width of zero.
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
    """A number of events among a number of results, with the exact binomial confidence interval of their ratio."""

    events: int
    results: int

    @property
    def share(self) -> float:
        """Events as a fraction of results; NaN if there are no results."""
        return self.events / self.results if self.results else float("nan")

    @property
    def lower(self) -> float:
        """Lower 95 % confidence limit of the rate; 0 if there are no results."""
        if self.events == 0:
            return 0.0
        return float(scipy.special.betaincinv(self.events, self.results - self.events + 1, (1 - CONFIDENCE) / 2))

    @property
    def upper(self) -> float:
        """Upper 95 % confidence limit of the rate; 1 if there are no results, since then nothing is excluded."""
        if self.events == self.results:
            return 1.0
        return float(scipy.special.betaincinv(self.events + 1, self.results - self.events, (1 + CONFIDENCE) / 2))

    def __str__(self) -> str:
        if not self.results:
            return "0 of 0"
        return f"{self.events} of {self.results} ({self.share:.2%}, 95 % {self.lower:.2%} to {self.upper:.2%})"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts of held-out results with a label, by how they were answered."""

    results: int = 0
    """Number of labelled results that the model was asked about."""
    answered: int = 0
    """Number of these that it answered with a category."""
    agreed: int = 0
    """Number of results answered at the label's level."""
    resistant: int = 0
    """Number of answered results whose label is R or NS."""
    susceptible: int = 0
    """Number of answered results whose label is S."""
    very_major: int = 0
    major: int = 0
    minor: int = 0

    @property
    def answered_rate(self) -> Rate:
        """Share of labelled results that were answered."""
        return Rate(self.answered, self.results)

    @property
    def categorical(self) -> Rate:
        """Categorical agreement (CA): share of answered results at the label's level."""
        return Rate(self.agreed, self.answered)

    @property
    def very_major_error(self) -> Rate:
        """Very major error (VME): share of results labelled R that were answered S."""
        return Rate(self.very_major, self.resistant)

    @property
    def major_error(self) -> Rate:
        """Major error (ME): share of results labelled S that were answered R."""
        return Rate(self.major, self.susceptible)

    @property
    def minor_error(self) -> Rate:
        """Minor error (mE): share of answered results with I or SDD on one side only."""
        return Rate(self.minor, self.answered)

    def __add__(self, other: "Agreement") -> "Agreement":
        """Return the counts of two disjoint sets of results, added."""
        own_counts, other_counts = asdict(self), asdict(other)
        return Agreement(**{name: own_counts[name] + other_counts[name] for name in own_counts})

    @classmethod
    def of_confusion(cls, labelled_results: int, confusion: Sequence[Sequence[int]]) -> "Agreement":
        """Create the counts from a confusion table.

        Args:
            labelled_results: number of results with a label, answered or refused.
            confusion: number of answered results by level of the label, then level of the answer (S; I or SDD; R or
                NS).

        Raises:
            ValueError: the table is not 3 × 3 or holds more results than were labelled.
        """
        table = np.asarray(confusion)
        if table.shape != (len(LEVELS), len(LEVELS)) or not 0 <= table.sum() <= labelled_results:
            raise ValueError(f"a confusion of shape {table.shape} for {labelled_results} labelled results")
        agreed, very_major, major = int(table.trace()), int(table[2, 0]), int(table[0, 2])
        answered_results = int(table.sum())
        return cls(
            results=labelled_results,
            answered=answered_results,
            agreed=agreed,
            resistant=int(table[2].sum()),
            susceptible=int(table[0].sum()),
            very_major=very_major,
            major=major,
            minor=answered_results - agreed - very_major - major,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the counts, from which rates and intervals follow; `from_json` reads them."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Agreement":
        """Create the counts from what `to_json` returned.

        Raises:
            TypeError: the document was not written by `to_json`.
        """
        return cls(**document)
