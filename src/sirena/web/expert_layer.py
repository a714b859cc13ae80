"""What stands beside the answers of an opened file: what expert rules report, and the isolates to know of.

Rules, each with a test of like name:

- the answer stays; where a rule reports R, that and the rule stand beside it, as `interpret --expert-rules` has it;
- alerts are those of `sirena alerts`, WHO's critical ones first; where none found anything, it says how many looked.
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
"""Says of isolates that nothing can be said."""


@dataclass(frozen=True)
class ExpertLayer:
    """The expert layer of one file."""

    tests: Mapping[str, ReportedTest]
    """By header, the test columns in which a rule reports R anywhere."""
    alerts: tuple[AlertFinding, ...]
    """Those that found an isolate, WHO's critical ones first."""
    looked_for: int
    """How many alerts concern organisms of the file."""

    @classmethod
    def of(cls, facts: IsolateFacts, rules: Sequence[ExpertRule]) -> Self:
        """Apply rules, and look for every alert.

        Args:
            facts: of the file's rows, as answered.
            rules: in force.
        """
        tests = {test.header: test for test in apply_rules(facts, rules) if test.rule.null_count() < facts.rows}
        findings = [finding for finding in find_alerts(facts) if finding.alert.code != _UNTOLD]
        found = sorted(
            (finding for finding in findings if finding.count),
            key=lambda finding: (_PRIORITIES.index(finding.alert.priority), finding.alert.kind, -finding.count),
        )
        return cls(tests, tuple(found), len(findings))

    @property
    def reported(self) -> int:
        """How many results a rule reports R."""
        return sum(len(test.rule) - test.rule.null_count() for test in self.tests.values())

    def rule_of(self, header: str, position: int) -> str | None:
        """Return the label of the rule that reports a result R; None where the answer is reported as it is.

        Args:
            header: of the test column.
            position: of the row, 0-based.
        """
        test = self.tests.get(header)
        return None if test is None else test.rule[position]

    def rows_of(self, alert: str) -> pl.Series | None:
        """Return which rows an alert holds for; None when it found none.

        Args:
            alert: its code.
        """
        for finding in self.alerts:
            if finding.alert.code == alert:
                return pl.Series(finding.rows)
        return None
