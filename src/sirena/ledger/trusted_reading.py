"""Reading again and again which release and rules are in force, from a ledger that is verified at each reading.

The first reading checks the chain from the first entry to the last. A later reading checks the added entries, that the
last entry seen before is still there, and that every deciding entry is the one read before. So a process that has read
the ledger once notices if an entry was altered, removed, inserted, or written anew with the whole chain after it.

A person may continue the ledger after a loss (`Ledger.resume`). Then all is read anew from the first entry, provided
that a head file, which the database's administrator cannot write, notes that resumption or a later entry.
"""

import threading
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, select

from sirena.ledger.catalogue import LedgerResumed
from sirena.ledger.entry import GENESIS, LedgerEntry
from sirena.ledger.errors import LedgerTamperedError
from sirena.ledger.head import Head
from sirena.ledger.judgements import DECIDING as OF_RELEASES
from sirena.ledger.judgements import Judgements, read_judgements
from sirena.ledger.rule_versions import DECIDING as OF_RULES
from sirena.ledger.schema import entries, exists, missing_guards
from sirena.ledger.store import Ledger

DECIDING: Final = (*OF_RELEASES, *OF_RULES)
"""Kinds of event that decide which release, and which of the hospital's own rules, are in force."""
_BATCH: Final = 1000
_HINT: Final = "change nothing, and see `sirena audit verify`"


class TrustedReading:
    """Verified reading of the decisions on releases and on the hospital's own rules; safe to share between threads."""

    def __init__(self, ledger: Ledger) -> None:
        """Create the reader; nothing is read yet."""
        self._ledger = ledger
        self._last: LedgerEntry | None = None
        self._decisions: dict[int, LedgerEntry] = {}
        self._resumption: LedgerEntry | None = None
        """The newest entry read that says that the ledger was continued after a loss."""
        self._one_at_a_time = threading.Lock()

    def read(self) -> Judgements:
        """Verify the ledger, and return what it records about releases now.

        Raises:
            LedgerTamperedError: an entry is not as it was written, or not as it was read before.
            LedgerUnavailableError: the database does not answer.
        """
        return read_judgements(entry for entry in self.entries() if entry.event in OF_RELEASES)

    def has_more(self) -> bool:
        """Tell whether a decision was added to the ledger since the last reading; new entries are not verified here.

        Raises:
            LedgerUnavailableError: the database does not answer.
        """
        last = self._last.seq if self._last is not None else 0
        query = select(entries.c.seq).where(entries.c.seq > last, entries.c.event.in_(DECIDING)).limit(1)
        with self._ledger.reading() as connection:
            return exists(connection) and connection.scalar(query) is not None

    def entries(self) -> list[LedgerEntry]:
        """Verify the ledger, and return its deciding entries (on releases and rules), in their order.

        Raises:
            LedgerTamperedError: an entry is not as it was written, or not as it was read before.
            LedgerUnavailableError: the database does not answer.
        """
        with self._one_at_a_time:
            heads = self._ledger.noted_heads()
            with self._ledger.reading() as connection:
                if not exists(connection):
                    if self._last is not None or heads:
                        raise LedgerTamperedError("the ledger's table is gone", hint=_HINT)
                    return []
                if guards := missing_guards(connection):
                    raise LedgerTamperedError(
                        f"the ledger's database does not refuse changes any more: {', '.join(guards)}", hint=_HINT
                    )
                resumption = _newest_resumption(connection)
                goes_on = resumption == self._resumption or not _is_vouched_for(resumption, heads)
                if goes_on:
                    self._require_the_same(connection)
                last, new_entries = _read_on(connection, self._last if goes_on else None)
                for head in heads:
                    if connection.scalar(select(entries.c.hash).where(entries.c.seq == head.entries)) != head.hash:
                        raise LedgerTamperedError(
                            f"the audit ledger's entry {head.entries} is missing or was altered: it was noted",
                            hint=_HINT,
                        )
            self._last, self._resumption = last, resumption
            self._decisions = self._decisions | new_entries if goes_on else new_entries
            return list(self._decisions.values())

    def _require_the_same(self, connection: Connection) -> None:
        if self._last is None:
            return
        query = select(entries).where(entries.c.event.in_(DECIDING), entries.c.seq <= self._last.seq)
        present_entries = {
            entry.seq: entry for entry in (LedgerEntry(**row._mapping) for row in connection.execute(query))
        }
        differences = sorted(
            seq
            for seq in present_entries.keys() | self._decisions.keys()
            if present_entries.get(seq) != self._decisions.get(seq)
        )
        if differences:
            raise LedgerTamperedError(
                f"the audit ledger's entry {differences[0]} is not the one that was read before", hint=_HINT
            )
        if connection.scalar(select(entries.c.hash).where(entries.c.seq == self._last.seq)) != self._last.hash:
            raise LedgerTamperedError(
                f"the audit ledger's entry {self._last.seq} is not the one that was read before", hint=_HINT
            )


def _newest_resumption(connection: Connection) -> LedgerEntry | None:
    newest = select(entries).where(entries.c.event == LedgerResumed.event).order_by(entries.c.seq.desc()).limit(1)
    row = connection.execute(newest).first()
    return LedgerEntry(**row._mapping) if row is not None else None


def _is_vouched_for(resumption: LedgerEntry | None, heads: Sequence[Head]) -> bool:
    """Tell whether a head notes the resumption or a later entry; `entries` checks that the ledger holds that entry."""
    return resumption is not None and any(head.entries >= resumption.seq for head in heads)


def _read_on(connection: Connection, last: LedgerEntry | None) -> tuple[LedgerEntry | None, dict[int, LedgerEntry]]:
    query = select(entries).where(entries.c.seq > (last.seq if last else 0)).order_by(entries.c.seq)
    new_entries: dict[int, LedgerEntry] = {}
    with connection.execution_options(yield_per=_BATCH).execute(query) as rows:
        for row in rows:
            entry = LedgerEntry(**row._mapping)
            place, before = (last.seq + 1, last.hash) if last else (1, GENESIS)
            if (entry.seq, entry.previous, entry.hash) != (place, before, entry.computed_hash):
                raise LedgerTamperedError(
                    f"the audit ledger's entry {place} is missing or was altered, or moved", hint=_HINT
                )
            if entry.event in DECIDING:
                new_entries[entry.seq] = entry
            last = entry
    return last, new_entries
