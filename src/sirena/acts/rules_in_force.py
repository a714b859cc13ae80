"""The hospital's own rules in force, for commands; the ledger is read only if it may hold approved rules."""

from collections.abc import Sequence

from sirena.domain.rule_kind import RuleKind
from sirena.guidelines.choice import ChosenEditions, choose_editions
from sirena.guidelines.editions import Editions
from sirena.guidelines.written_rules import RulesSource
from sirena.ledger.glance import may_hold
from sirena.settings.catalogue import Settings


def overlay_in_force(settings: Settings) -> RulesSource | None:
    """Return the hospital's own rules in force on guideline editions; None if there are none.

    Raises:
        SirenaError: the ledger cannot be read, or is not as it was written.
    """
    return _source_in_force(settings, RuleKind.OVERLAY)


def editions_in_force(settings: Settings, names: Sequence[str] = ()) -> ChosenEditions:
    """Return guideline editions with the hospital's own rules in force on them.

    Args:
        settings: settings of the installation.
        names: names of guideline editions; empty means the newest of each guideline.

    Raises:
        SirenaError: there is no such edition, or the ledger cannot be read or is not as it was written.
    """
    return choose_editions(Editions(settings.editions_folder), names, in_force=overlay_in_force(settings))


def expert_rules_in_force(settings: Settings) -> RulesSource | None:
    """Return the hospital's own expert rules in force; None if there are none.

    Raises:
        SirenaError: the ledger cannot be read, or is not as it was written.
    """
    return _source_in_force(settings, RuleKind.EXPERT)


def _source_in_force(settings: Settings, kind: RuleKind) -> RulesSource | None:
    if not _may_hold_approvals(settings):
        return settings.overlay if kind is RuleKind.OVERLAY else None
    from sirena.acts.local_rules import local_rules_of

    return local_rules_of(settings).in_force(kind).source


def _may_hold_approvals(settings: Settings) -> bool:
    """Tell whether the ledger may hold approved rules, without reading and verifying all of it, or creating it."""
    if settings.database_url.get_secret_value():
        from sirena.ledger.store import open_ledger

        return any(open_ledger(settings).read(events=("rules_approved",), last=1))
    return may_hold(settings.home / "ledger", "rules_approved")
