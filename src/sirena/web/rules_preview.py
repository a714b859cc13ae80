"""Comparing rules with those in force: what they would change in an open file.

Rules, each with a test of like name:

- an overlay (a hospital's own breakpoint rows) is compared by the guideline editions in force, whatever answers the
file, since models do not use overlays; - expert rules are compared by what they report of the file's own answers; - a
change from S to R comes first, then the change with most results.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sirena.domain.rule_kind import RuleKind
from sirena.guidelines.choice import ChosenEditions, choose_editions
from sirena.guidelines.overlay_file import read_overlay
from sirena.guidelines.written_rules import RulesSource, WrittenRules, rules_content
from sirena.panel.compiled import Panel
from sirena.panel.file_changes import FileChange, FileChanges, column_changes, file_changes, gravest_first
from sirena.panel.frame import Isolates
from sirena.stewardship.expert import apply_rules
from sirena.stewardship.expert_rules import load_expert_rules
from sirena.stewardship.isolate_facts import IsolateFacts
from sirena.web.opened_file import OpenedFile

if TYPE_CHECKING:
    from sirena.acts.local_rules import LocalRules


@dataclass(frozen=True)
class RulesPreview(FileChanges):
    """Changes that rules would make in the answers of a file."""

    compared_by: str
    """Name of what answered for the comparison: ``CLSI 2026, EUCAST 2026``, or what answers the file."""


def preview(opened_file: OpenedFile, rules: "LocalRules", kind: RuleKind, table: WrittenRules) -> RulesPreview:
    """Return what a table of rules would change in an open file, compared with the rules in force.

    Args:
        opened_file: the file.
        rules: the installation's rules, with those in force.
        kind: kind of the rules.
        table: rules to be compared with those in force.

    Raises:
        SirenaError: the table is not valid, or the ledger cannot be read.
    """
    from sirena.acts.rule_tables import read_rows

    current_rules = rules.in_force(kind).source
    new_rules = table if read_rows(kind, table.content) else None
    if kind is RuleKind.OVERLAY:
        return _of_overlay(opened_file, rules, current_rules, new_rules)
    changes = gravest_first(_reported_changes(opened_file, current_rules, new_rules))
    return RulesPreview(len(opened_file.file.mic_columns), changes, opened_file.answers.name)


def _of_overlay(
    opened_file: OpenedFile, rules: "LocalRules", current_rules: RulesSource | None, new_rules: RulesSource | None
) -> RulesPreview:
    drugs = _drugs(rules, current_rules) ^ _drugs(rules, new_rules)
    edition_choices = [choose_editions(rules.editions, in_force=source) for source in (current_rules, new_rules)]
    columns = opened_file.file.mic_columns
    compared_columns = {
        header: column for header, column in columns.items() if column.drug in {drug for drug, _ in drugs}
    }
    panels = [
        _panel(edition_choice, {column.model_column for column in compared_columns.values()})
        for edition_choice in edition_choices
    ]
    isolates = replace(Isolates.of_file(opened_file.file), test_columns=compared_columns)
    plain = choose_editions(rules.editions).names_for(column.model_column for column in columns.values())
    return RulesPreview(len(compared_columns), gravest_first(file_changes(isolates, *panels)), plain)


def _panel(editions: ChosenEditions, columns: set[str]) -> Panel:
    return Panel(editions.tables(sorted(columns)), {}, "")


def _drugs(rules: "LocalRules", source: RulesSource | None) -> set[tuple[str, object]]:
    """Return each rule with its antimicrobial; rules in both tables then cancel in a difference of two such sets."""
    if source is None:
        return set()
    rows = read_overlay(source.name, rules_content(source), rules.editions.names)
    return {(row.drug, replace(row, line=0)) for row in rows}


def _reported_changes(
    opened_file: OpenedFile, current_rules: RulesSource | None, new_rules: RulesSource | None
) -> Iterator[FileChange]:
    facts = IsolateFacts.of(Isolates.of_file(opened_file.file), opened_file.answers.table_of)
    reported_tests = [apply_rules(facts, load_expert_rules(source)) for source in (current_rules, new_rules)]
    for before, after in zip(*reported_tests, strict=True):
        yield from column_changes(before.header, before.reported_categories, after.reported_categories)
