"""The hospital's own rules that are in force, for commands; one that needs none waits for no ledger."""

import sqlite3
from contextlib import closing
from typing import Final

from sirena.domain.rule_kind import RuleKind
from sirena.guidelines.written_rules import RulesSource
from sirena.settings.catalogue import Settings

_APPROVED: Final = "SELECT EXISTS (SELECT 1 FROM ledger_entries WHERE event = 'rules_approved')"


def overlay_in_force(settings: Settings) -> RulesSource | None:
    """Return the hospital's own rules in force on guideline editions; None when there are none.

    Raises:
        SirenaError: the ledger cannot be read, or not be believed.
    """
    return _source_in_force(settings, RuleKind.OVERLAY)


def expert_rules_in_force(settings: Settings) -> RulesSource | None:
    """Return the hospital's own expert rules in force; None when there are none.

    Raises:
        SirenaError: the ledger cannot be read, or not be believed.
    """
    return _source_in_force(settings, RuleKind.EXPERT)


def _source_in_force(settings: Settings, kind: RuleKind) -> RulesSource | None:
    if not _may_hold_approvals(settings):
        return settings.overlay if kind is RuleKind.OVERLAY else None
    from sirena.acts.local_rules import local_rules_of

    return local_rules_of(settings).in_force(kind).source


def _may_hold_approvals(settings: Settings) -> bool:
    """Tell whether the ledger is to be read whole; a command that only answers makes none where there is none."""
    if settings.database_url.get_secret_value():
        from sirena.ledger.store import open_ledger

        return any(open_ledger(settings).read(events=("rules_approved",), last=1))
    path = settings.home / "ledger" / "ledger.db"
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
            return bool(database.execute(_APPROVED).fetchone()[0])
    except sqlite3.Error:
        return True  # the ledger itself says what is amiss
