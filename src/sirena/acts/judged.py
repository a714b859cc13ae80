"""What the ledger of this installation says of releases, for commands that look once."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from sirena.ledger.judgements import ActivePeriod, Judgements
from sirena.ledger.store import Ledger, open_ledger
from sirena.ledger.trusted_reading import TrustedReading
from sirena.panel.compiled import ACTIVE
from sirena.registry.activation import active_version, replaced_by, served_periods, shadow_version
from sirena.registry.connection import Registry
from sirena.registry.releases import RELEASE_MODEL, Release, find_release
from sirena.registry.versions import Stage
from sirena.settings.catalogue import Settings

ACTIONS: Final = {"activated": "activate", "rolled_back": "rollback"}
"""What people call the switches of the ledger."""


def judgements_of(settings: Settings) -> Judgements:
    """Read the ledger from its first entry to its last, and return which releases it holds as judged.

    Raises:
        LedgerTamperedError: an entry is not as it was written.
        LedgerUnavailableError: the database does not answer.
    """
    with closing(open_ledger(settings)) as ledger:
        return TrustedReading(ledger).read()


def is_behind_an_entry(settings: Settings) -> bool:
    """Tell whether MLflow is reached with credentials, through an entry, whose own ledger is the one that counts."""
    from mlflow.utils.credentials import get_default_host_creds

    uri = settings.effective_tracking_uri
    if not uri.startswith("http"):
        return False
    credentials = get_default_host_creds(uri)
    return bool(credentials.username or credentials.token)


@dataclass(frozen=True)
class NamedReleases:
    """The releases that are more than one of many."""

    active: str | None
    """The release that may answer by the ledger, empty without one; None behind an entry, whose ledger is not here."""
    shadow: str
    """The one that answers unseen, by the ledger; behind an entry by MLflow's alias. Empty without one."""


def named_releases(registry: Registry) -> NamedReleases:
    """Return which release answers, and which answers unseen.

    Raises:
        SirenaError: the ledger, or MLflow where it is not here, is not what was written or does not answer.
    """
    if registry.signed_in_as:
        shadow = shadow_version(registry)
        return NamedReleases(None, "" if shadow is None else f"{RELEASE_MODEL}/{shadow}")
    judgements = judgements_of(registry.settings)
    active, named = judgements.active, judgements.shadow
    return NamedReleases(active.release if active else "", named.release if named else "")


def active_name(registry: Registry) -> str | None:
    """Return the release that may answer, as `NamedReleases` has it."""
    return None if registry.signed_in_as else named_releases(registry).active


def standing(release: Release, judged: str | None) -> str:
    """Return the mark of a release in a list: whether it answers, and whether MLflow and the ledger agree on that.

    Args:
        release: as MLflow describes it.
        judged: what `active_name` returned.
    """
    if judged is None:
        return "active" if release.active else ""
    if release.name == judged:
        return "active" if release.active else "active by the ledger, without MLflow's alias"
    return "HAS THE ALIAS, NOT JUDGED" if release.active else ""


def find_judged(registry: Registry, name: str) -> Release:
    """Return the release a text names; the active one is the ledger's, where the ledger is here.

    Raises:
        UsageError: the text names no release.
    """
    judged = active_name(registry) if name.strip().lower() in (ACTIVE, Stage.PRODUCTION.alias) else None
    return find_release(registry, judged or name)


@dataclass(frozen=True)
class AnsweringPeriod:
    """A time in which one release was the one that answered, and who decided so."""

    release: str
    """``panel_SIR/3``."""
    since: str
    """UTC, ISO 8601."""
    until: str | None
    """None while it still is."""
    action: str
    """``activate`` or ``rollback``."""
    who: str
    override: str = ""
    """Reason given for overriding the gate; empty when it agreed."""
    entry: int | None = None
    """Place in the audit ledger; None behind an entry, whose ledger is not here."""

    def __str__(self) -> str:
        return (
            f"served {self.since} to {self.until or 'now'}, {self.action} by {self.who}"
            + (f", overriding the gate: {self.override}" if self.override else "")
            + (f", entry {self.entry} of the audit ledger" if self.entry is not None else "")
        )


@dataclass(frozen=True)
class AnsweringLook:
    """Which release answers, and which did: by the ledger, else by MLflow."""

    judged: str | None
    """As `active_name`."""
    rollback: str
    """Release to which a rollback returns; empty when there is none."""
    periods: Sequence[AnsweringPeriod]
    """What answered when, oldest first."""


def override_reasons(ledger: Ledger) -> Mapping[str, str]:
    """Return by act why the gate was overridden."""
    return {entry.act: str(entry.facts().get("reason", "")) for entry in ledger.read(events=("overridden",))}


def answering_period(period: ActivePeriod, reasons: Mapping[str, str]) -> AnsweringPeriod:
    """Return a time in which a release answered, as it is told.

    Args:
        period: from the ledger.
        reasons: from `override_reasons`.
    """
    judged = period.judgement
    return AnsweringPeriod(
        judged.release,
        judged.at,
        period.until,
        ACTIONS[judged.action],
        judged.who,
        reasons.get(judged.act, ""),
        judged.entry,
    )


def read_answering(registry: Registry) -> AnsweringLook:
    """Return which release answers, and which did.

    Raises:
        SirenaError: the ledger, or MLflow where it is not here, is not what was written or does not answer.
    """
    if registry.signed_in_as:
        periods = [
            AnsweringPeriod(f"{RELEASE_MODEL}/{one.release}", one.since, one.until, one.action, one.by, one.override)
            for one in served_periods(registry)
        ]
        active = active_version(registry)
        target = replaced_by(registry, active) if active is not None else None
        return AnsweringLook(None, f"{RELEASE_MODEL}/{target}" if target is not None else "", periods)
    with closing(open_ledger(registry.settings)) as ledger:
        judgements = TrustedReading(ledger).read()
        reasons = override_reasons(ledger)
    periods = [answering_period(one, reasons) for one in judgements.periods]
    active_one, target_one = judgements.active, judgements.rollback
    return AnsweringLook(active_one.release if active_one else "", target_one.release if target_one else "", periods)


def periods_of(registry: Registry, release: Release) -> list[AnsweringPeriod]:
    """Return when a release was the one that answered: by the ledger, else by MLflow."""
    return [one for one in read_answering(registry).periods if one.release == release.name]
