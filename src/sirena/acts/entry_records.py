"""Where the access service puts its events on record."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sirena.access.entry_refusals import EntryLog
from sirena.access.events import Notify
from sirena.ledger.event import Event
from sirena.ledger.store import open_ledger
from sirena.settings.catalogue import Settings


def record_events(settings: Settings) -> Notify:
    """Return what puts an event of the access service on record, at the time it does so.

    It raises `LedgerError` when the ledger cannot be written, and then the service lets nothing through.
    """
    ledger = open_ledger(settings)

    def record(event: Event) -> None:
        # what was counted or waited for the ledger happened earlier; `at` says when it was recorded
        ledger.append(replace(event, at=datetime.now(UTC)))

    return record


def entry_log_at(log: Path, settings: Settings) -> EntryLog:
    """Return where NGINX's refusals are read, with the place in it kept below `SIRENA_HOME`."""
    ledger = open_ledger(settings)
    return EntryLog(log, settings.home / "entry-refusals.json", lambda act: any(ledger.read(act=act)))
