"""How many results expert rules changed; apart from `expert`, which a file without expert rules does not need."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from sirena.stewardship.expert import ReportedTest


class RuleChanges:
    """Counts the results that each rule changed, over the parts of a file."""

    def __init__(self) -> None:
        """Start without counts."""
        self._labels: dict[str, dict[str, int]] = {}

    def add(self, reported_tests: "Sequence[ReportedTest]") -> None:
        """Add the changes in some rows of the file."""
        for test in reported_tests:
            self.count(test.header, test.rule)

    def count(self, header: str, labels: pl.Series) -> None:
        """Count changed results of a test column, given each row's rule label; null if no rule changed the row."""
        own = self._labels.setdefault(header, {})
        for label, count in labels.drop_nulls().value_counts(sort=True).iter_rows():
            own[label] = own.get(label, 0) + count

    def merge(self, other: "RuleChanges") -> None:
        """Add the counts of the next part of the file."""
        for header, labels in other._labels.items():
            own = self._labels.setdefault(header, {})
            for label, count in labels.items():
                own[label] = own.get(label, 0) + count

    def counts(self) -> Mapping[str, int]:
        """Return the number of results that each rule changed: test by test, the commonest rule first."""
        counts: dict[str, int] = {}
        for labels in self._labels.values():
            for label, count in sorted(labels.items(), key=lambda pair: -pair[1]):
                code = label.partition(" ")[0]
                counts[code] = counts.get(code, 0) + count
        return counts
