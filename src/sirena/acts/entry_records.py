"""Recording the events of the access service in the ledger."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sirena.access.entry_refusals import EntryLog
from sirena.access.events import Notify
from sirena.ledger.event import Event
from sirena.ledger.store import open_ledger
from sirena.settings.catalogue import Settings


def record_events(settings: Settings) -> Notify:
    """Return a function that records an event in the ledger, with the current time.

    It raises `LedgerError` when the ledger cannot be written; the service then refuses every request.
    """
    ledger = open_ledger(settings)

    def record(event: Event) -> None:
        # what was counted or waited for the ledger happened earlier; `at` says when it was recorded
        ledger.append(replace(event, at=datetime.now(UTC)))

    return record


def entry_log_at(log: Path, settings: Settings) -> EntryLog:
    """Return NGINX's log of refusals, with the file below `SIRENA_HOME` that stores how far the log was read."""
    ledger = open_ledger(settings)
    return EntryLog(log, settings.home / "entry-refusals.json", lambda act: any(ledger.read(act=act)))
