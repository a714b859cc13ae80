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


def preview(opened: OpenedFile, rules: "LocalRules", kind: RuleKind, table: WrittenRules) -> RulesPreview:
    """Return what a table of rules would change in an open file, compared with the rules in force.

    Args:
        opened: the file.
        rules: the installation's rules, with those in force.
        kind: kind of the rules.
        table: rules to be compared with those in force.

    Raises:
        SirenaError: the table is not valid, or the ledger cannot be read.
    """
    from sirena.acts.rule_tables import read_rows

    now = rules.in_force(kind).source
    then = table if read_rows(kind, table.content) else None
    if kind is RuleKind.OVERLAY:
        return _of_overlay(opened, rules, now, then)
    changes = gravest_first(_reported_changes(opened, now, then))
    return RulesPreview(len(opened.file.mic_columns), changes, opened.answers.name)


def _of_overlay(
    opened: OpenedFile, rules: "LocalRules", now: RulesSource | None, then: RulesSource | None
) -> RulesPreview:
    drugs = _drugs(rules, now) ^ _drugs(rules, then)
    chosen = [choose_editions(rules.editions, in_force=source) for source in (now, then)]
    columns = opened.file.mic_columns
    compared = {header: column for header, column in columns.items() if column.drug in {drug for drug, _ in drugs}}
    panels = [_panel(one, {column.model_column for column in compared.values()}) for one in chosen]
    isolates = replace(Isolates.of_file(opened.file), test_columns=compared)
    plain = choose_editions(rules.editions).names_for(column.model_column for column in columns.values())
    return RulesPreview(len(compared), gravest_first(file_changes(isolates, *panels)), plain)


def _panel(chosen: ChosenEditions, columns: set[str]) -> Panel:
    return Panel(chosen.tables(sorted(columns)), {}, "")


def _drugs(rules: "LocalRules", source: RulesSource | None) -> set[tuple[str, object]]:
    """Return each rule with its antimicrobial; rules in both tables then cancel in a difference of two such sets."""
    if source is None:
        return set()
    stated = read_overlay(source.name, rules_content(source), rules.editions.names)
    return {(row.drug, replace(row, line=0)) for row in stated}


def _reported_changes(opened: OpenedFile, now: RulesSource | None, then: RulesSource | None) -> Iterator[FileChange]:
    facts = IsolateFacts.of(Isolates.of_file(opened.file), opened.answers.table_of)
    both = [apply_rules(facts, load_expert_rules(source)) for source in (now, then)]
    for before, after in zip(*both, strict=True):
        yield from column_changes(before.header, before.reported, after.reported)
