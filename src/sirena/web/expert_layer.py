"""The expert layer of an open file: what expert rules report, and alerts about isolates.

Rules, each with a test of like name:

- the answer stays; if a rule reports R, this and the rule are shown next to the answer, as with `interpret
--expert-rules`; - alerts are those of `sirena alerts`, WHO's critical ones first; if none was found, the page says how
many were tried.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import polars as pl

from sirena.stewardship.alerts import AlertFinding, find_alerts
from sirena.stewardship.expert import ReportedTest, apply_rules
from sirena.stewardship.expert_rules import ExpertRule
from sirena.stewardship.isolate_facts import IsolateFacts

_PRIORITIES: Final = ("critical", "high", "medium", "")
_UNTOLD: Final = "MDR-UNKNOWN"
"""Code of the finding that nothing can be said about isolates."""


@dataclass(frozen=True)
class ExpertLayer:
    """What expert rules change in one file, and the alerts found in it."""

    tests: Mapping[str, ReportedTest]
    """Test columns in which a rule reports R for any isolate, by header."""
    alerts: tuple[AlertFinding, ...]
    """Alerts that concern any isolate, WHO's critical ones first."""
    tried_alerts: int
    """Number of alerts that were tried, because they concern organisms of the file."""

    @classmethod
    def of(cls, facts: IsolateFacts, rules: Sequence[ExpertRule]) -> Self:
        """Create the layer: apply the rules, and try every alert.

        Args:
            facts: facts of the rows of the answered file.
            rules: expert rules in force.
        """
        tests = {test.header: test for test in apply_rules(facts, rules) if test.rule.null_count() < facts.rows}
        findings = [finding for finding in find_alerts(facts) if finding.alert.code != _UNTOLD]
        alerts = sorted(
            (finding for finding in findings if finding.count),
            key=lambda finding: (_PRIORITIES.index(finding.alert.priority), finding.alert.kind, -finding.count),
        )
        return cls(tests, tuple(alerts), len(findings))

    @property
    def reported_results(self) -> int:
        """Number of results that a rule reports as R."""
        return sum(len(test.rule) - test.rule.null_count() for test in self.tests.values())

    def rule_of(self, header: str, position: int) -> str | None:
        """Return the label of the rule that reports a result as R; None if the answer is reported unchanged.

        Args:
            header: header of the test column.
            position: position of the row, 0-based.
        """
        test = self.tests.get(header)
        return None if test is None else test.rule[position]

    def rows_of(self, alert: str) -> pl.Series | None:
        """Return a Boolean per row: True if an alert concerns the row; None if the alert concerns no row.

        Args:
            alert: code of the alert.
        """
        for finding in self.alerts:
            if finding.alert.code == alert:
                return pl.Series(finding.rows)
        return None
