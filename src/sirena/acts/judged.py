"""What the ledger of this installation says of releases, for commands that look once."""

from contextlib import closing
from typing import Final

from sirena.ledger.judgements import Judgements
from sirena.ledger.store import open_ledger
from sirena.ledger.trusted_reading import TrustedReading
from sirena.panel.compiled import ACTIVE
from sirena.registry.activation import served_periods
from sirena.registry.connection import Registry
from sirena.registry.releases import Release, find_release
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


def active_name(registry: Registry) -> str | None:
    """Return the release that may answer by the ledger; None behind an entry, whose ledger is not here.

    Without one it is empty.
    """
    if registry.signed_in_as:
        return None
    active = judgements_of(registry.settings).active
    return active.release if active else ""


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


def periods_of(registry: Registry, release: Release) -> list[str]:
    """Return when a release was the one that answered, a line each: by the ledger, else by MLflow."""
    if registry.signed_in_as:
        return [
            f"served {one.since} to {one.until or 'now'}, {one.action} by {one.by}"
            + (f", overriding the gate: {one.override}" if one.override else "")
            for one in served_periods(registry)
            if one.release == release.version
        ]
    with closing(open_ledger(registry.settings)) as ledger:
        periods = TrustedReading(ledger).read().periods
        reasons = {entry.act: str(entry.facts().get("reason", "")) for entry in ledger.read(events=("overridden",))}
    return [
        f"served {one.judgement.at} to {one.until or 'now'}, {ACTIONS[one.judgement.action]} by {one.judgement.who}"
        + (f", overriding the gate: {reasons[one.judgement.act]}" if one.judgement.act in reasons else "")
        + f", entry {one.judgement.entry} of the audit ledger"
        for one in periods
        if one.judgement.release == release.name
    ]
