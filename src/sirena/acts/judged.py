"""What the ledger of this installation holds of releases, for commands that read it once."""

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
"""Name of the action by the event that records it."""


def judgements_of(settings: Settings) -> Judgements:
    """Verify the ledger from its first entry to its last, and return what it holds of releases.

    Raises:
        LedgerTamperedError: an entry was altered, removed or moved.
        LedgerUnavailableError: the database does not answer.
    """
    with closing(open_ledger(settings)) as ledger:
        return TrustedReading(ledger).read()


def is_behind_an_entry(settings: Settings) -> bool:
    """Tell whether MLflow is reached with credentials, and so through an entry; then its server's ledger counts."""
    from mlflow.utils.credentials import get_default_host_creds

    uri = settings.effective_tracking_uri
    if not uri.startswith("http"):
        return False
    credentials = get_default_host_creds(uri)
    return bool(credentials.username or credentials.token)


@dataclass(frozen=True)
class NamedReleases:
    """The active release and the shadow."""

    active: str | None
    """The release that may answer by the ledger, empty if none may; None behind an entry, whose ledger is on another
    server."""
    shadow: str
    """The release that answers unseen, by the ledger; behind an entry by MLflow's alias. Empty if there is none."""


def named_releases(registry: Registry) -> NamedReleases:
    """Return the active release and the shadow.

    Raises:
        SirenaError: the ledger, or MLflow behind an entry, is not what was written or does not answer.
    """
    if registry.signed_in_as:
        shadow = shadow_version(registry)
        return NamedReleases(None, "" if shadow is None else f"{RELEASE_MODEL}/{shadow}")
    judgements = judgements_of(registry.settings)
    active_judgement, shadow_judgement = judgements.active, judgements.shadow
    return NamedReleases(
        active_judgement.release if active_judgement else "", shadow_judgement.release if shadow_judgement else ""
    )


def active_name(registry: Registry) -> str | None:
    """Return the release that may answer, as `NamedReleases` has it."""
    return None if registry.signed_in_as else named_releases(registry).active


def standing(release: Release, active: str | None) -> str:
    """Return the mark of a release in a list: whether it is active, and whether MLflow and the ledger agree on that.

    Args:
        release: as MLflow describes it.
        active: active release, as `active_name` returns it.
    """
    if active is None:
        return "active" if release.active else ""
    if release.name == active:
        return "active" if release.active else "active by the ledger, without MLflow's alias"
    return "HAS THE ALIAS, NOT JUDGED" if release.active else ""


def find_judged(registry: Registry, name: str) -> Release:
    """Return the release that a text names; ``active`` means the one in the ledger, or behind an entry MLflow's.

    Raises:
        UsageError: the text names no release.
    """
    active_release = active_name(registry) if name.strip().lower() in (ACTIVE, Stage.PRODUCTION.alias) else None
    return find_release(registry, active_release or name)


@dataclass(frozen=True)
class AnsweringPeriod:
    """A period in which one release answered, and who made it active."""

    release: str
    """``panel_SIR/3``."""
    since: str
    """UTC, ISO 8601."""
    until: str | None
    """End, UTC, ISO 8601; None while the release still answers."""
    action: str
    """``activate`` or ``rollback``."""
    who: str
    override: str = ""
    """Reason for overriding the gate; empty when the gate agreed."""
    entry: int | None = None
    """Place of the decision in the audit ledger; None behind an entry, whose ledger is on another server."""

    def __str__(self) -> str:
        return (
            f"served {self.since} to {self.until or 'now'}, {self.action} by {self.who}"
            + (f", overriding the gate: {self.override}" if self.override else "")
            + (f", entry {self.entry} of the audit ledger" if self.entry is not None else "")
        )


@dataclass(frozen=True)
class AnsweringLook:
    """Which release answers and which did, by the ledger, or behind an entry by MLflow."""

    active: str | None
    """Active release, as `active_name` returns it."""
    rollback: str
    """Release to which a rollback would return; empty when there is none."""
    periods: Sequence[AnsweringPeriod]
    """Which release answered when, oldest first."""


def override_reasons(ledger: Ledger) -> Mapping[str, str]:
    """Return the reasons for overriding the gate, by the name of the act."""
    return {entry.act: str(entry.facts().get("reason", "")) for entry in ledger.read(events=("overridden",))}


def answering_period(period: ActivePeriod, reasons: Mapping[str, str]) -> AnsweringPeriod:
    """Return a period of the ledger in the form shown to people.

    Args:
        period: from the ledger.
        reasons: from `override_reasons`.
    """
    judgement = period.judgement
    return AnsweringPeriod(
        judgement.release,
        judgement.at,
        period.until,
        ACTIONS[judgement.action],
        judgement.who,
        reasons.get(judgement.act, ""),
        judgement.entry,
    )


def read_answering(registry: Registry) -> AnsweringLook:
    """Return which release answers, and which did, by the ledger, or behind an entry by MLflow.

    Raises:
        SirenaError: the ledger is not as it was written, or the ledger or MLflow do not answer.
    """
    if registry.signed_in_as:
        periods = [
            AnsweringPeriod(
                f"{RELEASE_MODEL}/{period.release}",
                period.since,
                period.until,
                period.action,
                period.by,
                period.override,
            )
            for period in served_periods(registry)
        ]
        active = active_version(registry)
        target = replaced_by(registry, active) if active is not None else None
        return AnsweringLook(None, f"{RELEASE_MODEL}/{target}" if target is not None else "", periods)
    with closing(open_ledger(registry.settings)) as ledger:
        judgements = TrustedReading(ledger).read()
        reasons = override_reasons(ledger)
    periods = [answering_period(period, reasons) for period in judgements.periods]
    active_judgement, rollback = judgements.active, judgements.rollback
    return AnsweringLook(
        active_judgement.release if active_judgement else "", rollback.release if rollback else "", periods
    )


def periods_of(registry: Registry, release: Release) -> list[AnsweringPeriod]:
    """Return the periods in which a release answered, by the ledger, or behind an entry by MLflow."""
    return [period for period in read_answering(registry).periods if period.release == release.name]
