"""The event by which a ledger is continued after a loss; every reading of the ledger looks for the newest one.

It stands apart from the other kinds in `catalogue`, so that a command that only reads the ledger starts sooner.
"""

from dataclasses import dataclass

from sirena.ledger.event import Event
from sirena.ledger.plain_text import Digest, Words


@dataclass(frozen=True, kw_only=True)
class LedgerResumed(Event):
    """The ledger is continued after its last entries were lost, as by restoring a backup; a person gave a reason."""

    event = "ledger_resumed"
    noted_entries: int
    """Number of entries that there had been, by the head file, which is kept apart from the database."""
    noted_hash: Digest
    found_entries: int
    """Number of entries found."""
    reason: Words
