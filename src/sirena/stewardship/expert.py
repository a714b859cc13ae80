"""Expert rules applied: a category to report, next to the guideline's own category, and the rule that changed it.

Rules, each with a test of like name:

- the category itself is unchanged; ``reported`` is a second column, with the rule if one changed the value;
- a rule needs a fact in the row and never adds a result for an untested drug;
- a result that is R already is not changed; if several rules hold, the first in the table is named;
- in counts, a rule changes only results that are counted anyway: an NI that a rule reports as R stays out of the
  denominator. Otherwise, for a species without breakpoint, only resistant isolates would be counted, and %S would be 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.domain.category import Category
from sirena.domain.errors import UsageError
from sirena.domain.truth_table import answer_code
from sirena.panel.column_answers import CATEGORIES
from sirena.panel.placement import Existing, Placement
from sirena.stewardship.expert_rules import ExpertRule
from sirena.stewardship.isolate_facts import AnsweredTest, IsolateFacts, Mask
from sirena.stewardship.results import SDD, I, Results, S


@dataclass(frozen=True)
class ReportedTest:
    """The categories to report for one test column."""

    header: str
    reported_categories: pl.Series
    """Category to report, of type `CATEGORIES`: the guideline's, or R if a rule holds."""
    rule: pl.Series
    """Label of the rule; null if the guideline's category is reported."""


def apply_rules(facts: IsolateFacts, rules: Sequence[ExpertRule]) -> tuple[ReportedTest, ...]:
    """Return the categories to report for every test column of a file.

    Args:
        facts: the facts of the rows, with their answers.
        rules: rules from `load_expert_rules`; if several hold, the first is named.
    """
    holds = _holds(facts, rules)
    return tuple(_report(test, rules, _rule_of_row(facts, test, rules, holds)) for test in facts.tests)


@dataclass(frozen=True)
class ReportedResults:
    """Results for counting, with expert rules applied."""

    results: Results
    changes: Mapping[str, int]
    """Number of results that each rule changed to R."""


def report_results(results: Results, facts: IsolateFacts, rules: Sequence[ExpertRule]) -> ReportedResults:
    """Return results in which rules have changed S, SDD and I to R.

    Args:
        results: results of a file.
        facts: facts from `IsolateFacts.of_results`, of the same results.
        rules: rules from `load_expert_rules`.
    """
    reported_results, changes = dict(results), RuleChanges()
    resistant = np.uint8(answer_code(Category.R))
    holds = _holds(facts, rules)
    for (name, drug), test in zip(results.items(), facts.tests, strict=True):
        position = _rule_of_row(facts, test, rules, holds)
        if position.max(initial=-1) < 0:
            continue
        is_moved = (position >= 0) & np.isin(drug.kinds, (S, SDD, I))
        if is_moved.any():
            reported_results[name] = replace(drug, answers=np.where(is_moved, resistant, drug.answers))
            changes.count(test.header, _labels(rules).gather(pl.Series(position[is_moved])))
    return ReportedResults(reported_results, changes.counts())


def count_changes(reported_tests: Sequence[ReportedTest]) -> Mapping[str, int]:
    """Return the number of results that each rule changed, in the order in which the rules first changed one."""
    changes = RuleChanges()
    changes.add(reported_tests)
    return changes.counts()


class RuleChanges:
    """Counts the results that each rule changed, over the parts of a file."""

    def __init__(self) -> None:
        """Start without counts."""
        self._labels: dict[str, dict[str, int]] = {}

    def add(self, reported_tests: Sequence[ReportedTest]) -> None:
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


def place_reported(
    answered_frame: pl.DataFrame,
    placements: Sequence[Placement],
    reported_tests: Sequence[ReportedTest],
    existing: Existing,
) -> pl.DataFrame:
    """Insert ``Eti_X_reported`` and ``Eti_X_rule`` directly after the answers of each test column.

    Raises:
        UsageError: the file already has such a column, and `existing` is not `Existing.REPLACE`.
    """
    by_header = {test.header: test for test in reported_tests}
    names = {name for placement in placements for name in (placement.reported_header, placement.rule)}
    present = [name for name in answered_frame.columns if name in names]
    if present and existing is not Existing.REPLACE:
        raise UsageError(
            f"the file already has {present[0]}",
            hint="--existing replace overwrites what expert rules reported before; or rename these columns first",
        )
    columns = {column.name: column for column in answered_frame.iter_columns() if column.name not in names}
    series_after: dict[str, list[pl.Series]] = {}
    for placement in placements:
        group = [placement.category, placement.mark, placement.basis, placement.reason]
        test = by_header[placement.header]
        last_header = [name for name in group if name in columns][-1]
        series_after[last_header] = [
            test.reported_categories.alias(placement.reported_header),
            test.rule.alias(placement.rule),
        ]
    return pl.DataFrame(
        [series for name, column in columns.items() for series in (column, *series_after.get(name, ()))]
    )


def _holds(facts: IsolateFacts, rules: Sequence[ExpertRule]) -> list[Mask]:
    """Return, for each rule, the rows in which its trigger holds."""
    return [
        facts.members(rule.rank, rule.group)
        & facts.holds(rule.trigger, rule.guideline.letter if rule.guideline else "")
        for rule in rules
    ]


def _rule_of_row(
    facts: IsolateFacts, test: AnsweredTest, rules: Sequence[ExpertRule], holds: Sequence[Mask]
) -> NDArray[np.int16]:
    """Return for each row the position of the first rule that changes a test's result; -1 if none does."""
    position = np.full(facts.rows, -1, dtype=np.int16)
    applying = [
        (number, rows)
        for number, (rule, rows) in enumerate(zip(rules, holds, strict=True))
        if test.column.drug in rule.drugs and rule.is_for(test.edition, test.column.guideline) and rows.any()
    ]
    if applying:
        resistant = (test.category == Category.R.value).fill_null(value=False).to_numpy()
        open_rows = test.is_tested & ~resistant
        for number, rows in applying:
            position[open_rows & rows] = number
            open_rows &= ~rows
    return position


def _labels(rules: Sequence[ExpertRule]) -> pl.Series:
    """Return the labels of the rules by position; the last one is null."""
    return pl.Series([*(rule.label for rule in rules), None], dtype=pl.String)


def _report(test: AnsweredTest, rules: Sequence[ExpertRule], position: NDArray[np.int16]) -> ReportedTest:
    """Return the categories to report for one test column, given the rule of each row."""
    labels = _labels(rules)
    changed = position >= 0
    if not changed.any():
        return ReportedTest(test.header, test.category, labels[-1:].new_from_index(0, len(position)))
    rule_of_row = labels.gather(pl.Series(np.where(changed, position, len(rules))))
    resistance = pl.repeat(Category.R.value, len(position), dtype=CATEGORIES, eager=True)
    return ReportedTest(test.header, resistance.zip_with(pl.Series(changed), test.category), rule_of_row)
