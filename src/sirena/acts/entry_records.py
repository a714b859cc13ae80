"""From the events of the access service to entries of the audit ledger."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sirena.access.entry_refusals import EntryLog
from sirena.ledger.catalogue import CATALOGUE
from sirena.ledger.event import ActOutcome
from sirena.ledger.store import open_ledger
from sirena.registry.releases import RELEASE_MODEL
from sirena.settings.catalogue import Settings


def record_events(settings: Settings) -> Callable[[str, Mapping[str, Any]], None]:
    """Return what puts an event of the access service on record.

    It raises `LedgerError` when the ledger cannot be written, and then the service lets nothing through.
    """
    ledger = open_ledger(settings)
    refused = {"refusal", "login_failed", "promotion_refused", "activation_refused"}

    def record(event: str, facts: Mapping[str, Any]) -> None:
        said = dict(facts)
        if said.get("model") == RELEASE_MODEL and said.get("stage") == "Production":
            # a panel in production is an active release, by whichever interface it came there
            event = "activation_refused" if event == "promotion_refused" else event
            said = {name: value for name, value in said.items() if name not in ("model", "version", "stage")}
            said["release"] = f"{RELEASE_MODEL}/{facts['version']}"
        outcome = ActOutcome(said.pop("outcome", ActOutcome.REFUSED if event in refused else ActOutcome.DONE))
        ledger.append(CATALOGUE[event](outcome=outcome, **said))

    return record


def entry_log_at(log: Path, settings: Settings) -> EntryLog:
    """Return where NGINX's refusals are read, with the place in it kept below `SIRENA_HOME`."""
    ledger = open_ledger(settings)
    return EntryLog(log, settings.home / "entry-refusals.json", lambda act: any(ledger.read(act=act)))
