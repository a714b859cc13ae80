"""What rules would change in an open file, compared with those in force.

Rules, each with a test of like name:

- an overlay is looked at by the guideline editions in force, whoever answers the file, for models know no overlay;
- expert rules are looked at in what is reported of the file's own answers;
- S that becomes R stands first, then the change with most results.
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
    """What would change."""

    compared_by: str
    """By what the file was answered for this: ``CLSI 2026, EUCAST 2026`` or as the file is."""


def preview(opened: OpenedFile, rules: "LocalRules", kind: RuleKind, table: WrittenRules) -> RulesPreview:
    """Compare a table of rules with what is in force, in an open file.

    Args:
        opened: the file.
        rules: say what is in force.
        kind: which rules.
        table: those looked at.

    Raises:
        SirenaError: the table cannot be in force, or nobody knows what is.
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
    plain = choose_editions(rules.editions).named(column.model_column for column in columns.values())
    return RulesPreview(len(compared), gravest_first(file_changes(isolates, *panels)), plain)


def _panel(chosen: ChosenEditions, columns: set[str]) -> Panel:
    return Panel(chosen.tables(sorted(columns)), {}, "")


def _drugs(rules: "LocalRules", source: RulesSource | None) -> set[tuple[str, object]]:
    """Return the antimicrobials rules are for, each with a rule; what both sides state falls out of the difference."""
    if source is None:
        return set()
    stated = read_overlay(source.name, rules_content(source), rules.editions.names)
    return {(row.drug, replace(row, line=0)) for row in stated}


def _reported_changes(opened: OpenedFile, now: RulesSource | None, then: RulesSource | None) -> Iterator[FileChange]:
    facts = IsolateFacts.of(Isolates.of_file(opened.file), opened.answers.table_of)
    both = [apply_rules(facts, load_expert_rules(source)) for source in (now, then)]
    for before, after in zip(*both, strict=True):
        yield from column_changes(before.header, before.reported, after.reported)
