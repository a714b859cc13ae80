"""Changing a guideline edition by a hospital's own rules, an overlay (read by `sirena.guidelines.overlay_file`)."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from sirena.domain.organisms import ORGANISMS
from sirena.guidelines.editions import Edition, OverlayIdentity
from sirena.guidelines.overlay_file import OverlayAction, OverlayRow, read_overlay
from sirena.guidelines.rows import Breakpoint, ExpectedResistance
from sirena.guidelines.sites import Indication
from sirena.guidelines.tables import TableError
from sirena.guidelines.written_rules import RulesSource, rules_content


def apply_overlay(edition: Edition, overlay: RulesSource, other_editions: Iterable[str] = ()) -> Edition:
    r"""Return a guideline edition changed by a hospital's rules; the same object if no rule is for this edition.

    Args:
        edition: edition from `sirena.guidelines.editions`.
        overlay: the hospital's rules.
        other_editions: names of the other editions that rules may be for.

    Raises:
        TableError: a rule cannot be read or applied; the error names file, row, column and remedy.

    >>> from sirena.guidelines.editions import load_edition
    >>> from sirena.guidelines.written_rules import WrittenRules
    >>> header = b"who,when,why,edition,action,drug,rank,group"
    >>> rule = b"committee,2026-02-01,outbreak,CLSI 2026,dash,AMK,species,Escherichia coli"
    >>> changed = apply_overlay(load_edition("CLSI 2026"), WrittenRules("rules.csv", header + b"\n" + rule))
    >>> changed.name, changed.overlay.who
    ('CLSI 2026 + rules.csv', 'committee')
    """
    content = rules_content(overlay)
    rules = list(read_overlay(overlay.name, content, tuple(dict.fromkeys((*other_editions, edition.name)))))
    if not rules:
        raise TableError(f"{overlay.name}: the overlay has no rows", hint="write at least one rule below the header")
    rows = [row for row in rules if row.is_for(edition.name)]
    if not rows:
        return edition
    changed = edition
    line_of_rule: dict[object, int] = {}
    for row in sorted(rows, key=lambda row: row.sites != (Indication.UNSPECIFIED,)):
        key = row.action.is_of_expected_resistance, row.drug, row.rank, row.group
        earlier = line_of_rule.setdefault((*key, row.sites), row.line)
        if earlier != row.line:
            raise TableError(
                f"{overlay.name}, row {row.line}: the rule of row {earlier} is stated again",
                hint="keep one row for each drug, group and site",
            )
        changed = _apply(changed, row, overlay.name)
    identity = OverlayIdentity(
        name=overlay.name,
        who="; ".join(dict.fromkeys(row.who for row in rows)),
        when=max(row.when for row in rows).isoformat(),
        why="; ".join(dict.fromkeys(row.why for row in rows)),
        rows=len(rows),
        digest=hashlib.sha256(content).hexdigest(),
    )
    return replace(changed, name=f"{edition.name} + {overlay.name}", overlay=identity)


def _apply(edition: Edition, row: OverlayRow, file: str) -> Edition:
    if row.action.is_of_expected_resistance:
        return replace(edition, expected_resistance=_expected_resistance(edition, row, file))
    other_rows = tuple(breakpoint_row for breakpoint_row in edition.breakpoints if not _replaces(row, breakpoint_row))
    if row.action.statement is not None:
        figures = row.susceptible, row.resistant, row.middle
        rule = Breakpoint(row.drug, row.rank, row.group, row.sites, *figures, row.source, row.action.statement)
        return replace(edition, breakpoints=(*other_rows, rule))
    if len(other_rows) == len(edition.breakpoints):
        raise TableError(
            f"{file}, row {row.line}, column action: the edition has no such row to remove",
            hint="see its rows with `sirena guideline show`; `block` says that there is no breakpoint",
        )
    return replace(edition, breakpoints=other_rows)


def _replaces(rule: OverlayRow, breakpoint_row: Breakpoint) -> bool:
    """Tell whether a rule replaces a row; a rule without a site also replaces the rows for single sites."""
    is_same_group = (rule.drug, rule.rank, rule.group) == (
        breakpoint_row.drug,
        breakpoint_row.rank,
        breakpoint_row.group,
    )
    return is_same_group and rule.sites in ((Indication.UNSPECIFIED,), breakpoint_row.sites)


def _expected_resistance(edition: Edition, row: OverlayRow, file: str) -> tuple[ExpectedResistance, ...]:
    """Return the edition's statements of expected resistance after a rule added one, or took a group out of them."""
    target = row.rank, row.group
    if row.action is OverlayAction.EXPECTED_RESISTANCE:
        other_statements = [s for s in edition.expected_resistance if s.key != (row.drug, *target)]
        return (*other_statements, ExpectedResistance(row.drug, *target, source=row.source))
    members = [organism for organism in ORGANISMS.values() if organism.belongs_to(*target)]
    kept_statements, has_changed = [], False
    for statement in edition.expected_resistance:
        if statement.drug != row.drug or not any(statement.covers(member) for member in members):
            kept_statements.append(statement)
            continue
        has_changed = True
        if (statement.rank, statement.group) != target:
            kept_statements.append(replace(statement, exceptions=statement.exceptions | {target}))
    if not has_changed:
        raise TableError(
            f"{file}, row {row.line}, column action: the edition states no such expected resistance",
            hint="see its rows with `sirena guideline show`",
        )
    return tuple(kept_statements)
