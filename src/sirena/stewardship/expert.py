"""The expert layer: what is reported beside the category, and by which rule.

Rules, each with a test of like name:

- the category stays as it was answered; ``reported`` stands beside it, with the rule where that changed it;
- a rule needs a fact in the row and never infers a drug that was not tested;
- what is R already needs no rule; the first rule of the table that holds is named;
- in counts a rule moves what is counted already: an NI that a rule reports R for the patient stays out of the
  denominator. Where a species has no breakpoint, only the isolates that resist would enter it, and show 0 %.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from sirena.domain.category import Category
from sirena.domain.errors import UsageError
from sirena.domain.truth_table import answer_code
from sirena.panel.frame import CATEGORIES
from sirena.panel.placement import Existing, Placement
from sirena.stewardship.expert_rules import ExpertRule
from sirena.stewardship.isolate_facts import AnsweredTest, IsolateFacts, Mask
from sirena.stewardship.results import SDD, I, Results, S


@dataclass(frozen=True)
class ReportedTest:
    """What is reported for one test column."""

    header: str
    reported: pl.Series
    """Of type `CATEGORIES`: the category, or R where a rule holds."""
    rule: pl.Series
    """The label of the rule, null where the category is reported as it is."""


def apply_rules(facts: IsolateFacts, rules: Sequence[ExpertRule]) -> tuple[ReportedTest, ...]:
    """Return what is reported for every test column of a file.

    Args:
        facts: the rows and their answers.
        rules: from `load_expert_rules`; the first that holds is named.
    """
    holds = [
        facts.members(rule.rank, rule.group)
        & facts.holds(rule.trigger, rule.guideline.letter if rule.guideline else "")
        for rule in rules
    ]
    return tuple(_report(facts, test, rules, holds) for test in facts.tests)


@dataclass(frozen=True)
class ReportedResults:
    """Results as they are to be counted, expert rules applied."""

    results: Results
    changes: Mapping[str, int]
    """By rule, how many results of the file it moved to R."""


def report_results(results: Results, facts: IsolateFacts, rules: Sequence[ExpertRule]) -> ReportedResults:
    """Return results in which a rule moved S, SDD and I to R.

    Args:
        results: of a file.
        facts: from `IsolateFacts.of_results`, of the same results.
        rules: from `load_expert_rules`.
    """
    reported, changes = dict(results), dict[str, int]()
    resistant = np.uint8(answer_code(Category.R))
    for (name, drug), test in zip(results.items(), apply_rules(facts, rules), strict=True):
        if test.rule.null_count() == test.rule.len():
            continue
        moved = test.rule.is_not_null().to_numpy() & np.isin(drug.kinds, (S, SDD, I))
        if moved.any():
            reported[name] = replace(drug, answers=np.where(moved, resistant, drug.answers))
            _add_changes(changes, test.rule.filter(pl.Series(moved)))
    return ReportedResults(reported, changes)


def count_changes(reported: Sequence[ReportedTest]) -> Mapping[str, int]:
    """Return by rule how many results it changed, in the order of first appearance."""
    counts: dict[str, int] = {}
    for test in reported:
        _add_changes(counts, test.rule.drop_nulls())
    return counts


def _add_changes(counts: dict[str, int], labels: pl.Series) -> None:
    for label, count in labels.value_counts(sort=True).iter_rows():
        code = label.partition(" ")[0]
        counts[code] = counts.get(code, 0) + count


def place_reported(
    answered: pl.DataFrame, placements: Sequence[Placement], reported: Sequence[ReportedTest], existing: Existing
) -> pl.DataFrame:
    """Put ``Eti_X_reported`` and ``Eti_X_rule`` directly after what was answered for each test column.

    Raises:
        UsageError: such a column is already there, and is not to be replaced.
    """
    by_header = {test.header: test for test in reported}
    names = {name for placement in placements for name in (placement.reported, placement.rule)}
    present = [name for name in answered.columns if name in names]
    if present and existing is not Existing.REPLACE:
        raise UsageError(
            f"the file already has {present[0]}",
            hint="--existing replace overwrites what expert rules reported before; or rename these columns first",
        )
    columns = {column.name: column for column in answered.iter_columns() if column.name not in names}
    after: dict[str, list[pl.Series]] = {}
    for placement in placements:
        group = [placement.category, placement.mark, placement.basis, placement.reason]
        test = by_header[placement.header]
        last = [name for name in group if name in columns][-1]
        after[last] = [test.reported.alias(placement.reported), test.rule.alias(placement.rule)]
    return pl.DataFrame([series for name, column in columns.items() for series in (column, *after.get(name, ()))])


def _report(
    facts: IsolateFacts, test: AnsweredTest, rules: Sequence[ExpertRule], holds: Sequence[Mask]
) -> ReportedTest:
    """Return what is reported for one test column; `holds` are the rows in which each rule's trigger holds."""
    applying = [
        (number, rows)
        for number, (rule, rows) in enumerate(zip(rules, holds, strict=True))
        if test.column.drug in rule.drugs and rule.is_for(test.edition, test.column.guideline) and rows.any()
    ]
    if not applying:
        return ReportedTest(test.header, test.category, pl.repeat(None, facts.rows, dtype=pl.String, eager=True))
    resistant = (test.category == Category.R.value).fill_null(value=False).to_numpy()
    open_rows = test.tested & ~resistant
    position = np.full(facts.rows, -1, dtype=np.int64)
    for number, rows in applying:
        position[open_rows & rows] = number
        open_rows = open_rows & ~rows
    labels = pl.Series([*(rule.label for rule in rules), None], dtype=pl.String)
    changed = pl.Series(position >= 0)
    rule_of_row = labels.gather(pl.Series(np.where(position >= 0, position, len(rules))))
    resistance = pl.repeat(Category.R.value, facts.rows, dtype=CATEGORIES, eager=True)
    return ReportedTest(test.header, resistance.zip_with(changed, test.category), rule_of_row)
