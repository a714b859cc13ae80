"""Verifying that the ledger is as it was written, from the first entry to the last, by its chain and the noted heads.

Rules, each with a test of like name:

- entries are numbered from 1 without a gap: a gap is a missing entry;
- an entry's hash fits its content: if not, the entry was altered;
- an entry names the hash of the one before: if a later entry names that hash instead, this entry was moved; if no entry
names it, the one before was altered and its hash computed anew; - every noted head, of any writer, is an entry of the
ledger: if not, the end was cut off or written anew; - the triggers that refuse changes are in force.

The first wrong entry is named; later ones are not judged, since nothing can be concluded from them.
"""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import select

from sirena.ledger.entry import GENESIS, LedgerEntry
from sirena.ledger.errors import LedgerTamperedError
from sirena.ledger.event import ActOutcome
from sirena.ledger.head import Head
from sirena.ledger.schema import entries, exists, missing_guards
from sirena.ledger.store import Ledger

_BATCH: Final = 1000
_CONCLUDES: Final = {"promotion_refused": "promoted", "activation_refused": "activated"}
"""Kinds of event that end an intention of another kind."""


class Damage(enum.StrEnum):
    """Kinds of damage to the ledger."""

    ALTERED = "altered"
    MISSING = "missing"
    REORDERED = "reordered"
    CUT_OFF = "cut off"
    REWRITTEN = "rewritten"
    HEAD_DAMAGED = "head damaged"
    UNGUARDED = "unguarded"


@dataclass(frozen=True)
class ChainFinding:
    """The first damage found in the ledger."""

    damage: Damage
    seq: int
    """Number of the first wrong entry; 0 if the damage concerns no entry."""
    text: str


@dataclass(frozen=True)
class Verification:
    """The result of verifying the ledger."""

    entries: int
    """Number of entries read."""
    head: Head | None
    """End of the ledger, to be written down elsewhere; None if the ledger is empty, or damaged before its end."""
    open_acts: tuple[LedgerEntry, ...] = ()
    """Intentions without an outcome: the process died, or the act is in progress."""
    finding: ChainFinding | None = None

    @property
    def intact(self) -> bool:
        """True when no damage was found."""
        return self.finding is None


def verify(ledger: Ledger, *, expected_head: Head | None = None) -> Verification:
    """Verify the whole ledger.

    Args:
        ledger: the ledger to check.
        expected_head: a head that was written down elsewhere earlier; None if there is none.

    Raises:
        LedgerUnavailableError: the database does not answer.
    """
    try:
        heads = ledger.noted_heads()
    except LedgerTamperedError as error:
        return Verification(0, None, finding=ChainFinding(Damage.HEAD_DAMAGED, 0, error.text))
    if expected_head is not None:
        heads.append(expected_head)
    with ledger.reading() as connection:
        if not exists(connection):
            return check_chain(iter(()), heads)
        guards = missing_guards(connection)
        query = select(entries).order_by(entries.c.seq)
        with connection.execution_options(yield_per=_BATCH).execute(query) as rows:
            verification = check_chain((LedgerEntry(**row._mapping) for row in rows), heads)
    if verification.intact and guards:
        text = f"the database does not refuse changes any more: {', '.join(guards)} is missing or disabled"
        return replace(verification, finding=ChainFinding(Damage.UNGUARDED, 0, text))
    return verification


def check_chain(rows: Iterator[LedgerEntry], heads: Sequence[Head] = ()) -> Verification:
    """Verify entries, given in the order of their numbers, by their chain of hashes and by heads noted earlier."""
    noted_hashes: dict[int, set[str]] = {}
    for head in heads:
        noted_hashes.setdefault(head.entries, set()).add(head.hash)
    last: LedgerEntry | None = None
    intentions: dict[str, LedgerEntry] = {}
    count = 0
    for count, entry in enumerate(rows, 1):
        finding = _judge(entry, count, last, rows)
        if finding is None and noted_hashes.get(count, {entry.hash}) != {entry.hash}:
            text = f"entry {count} is not the one that was noted: it, or the ledger up to it, was written anew"
            finding = ChainFinding(Damage.REWRITTEN, count, text)
        if finding is not None:
            return Verification(count, None, finding=finding)
        if entry.outcome == ActOutcome.INTENDED:
            intentions[entry.act] = entry
        elif intentions.get(entry.act, entry).event in (entry.event, _CONCLUDES.get(entry.event)):
            intentions.pop(entry.act, None)
        last = entry
    end = Head(last.seq, last.hash) if last else None
    open_acts = tuple(intentions.values())
    last_noted = max((head.entries for head in heads), default=0)
    if last_noted > count:
        text = f"entries {count + 1} to {last_noted} are missing: the end was cut off"
        return Verification(count, end, open_acts, ChainFinding(Damage.CUT_OFF, count + 1, text))
    return Verification(count, end, open_acts)


def _judge(
    entry: LedgerEntry, place: int, last: LedgerEntry | None, rest: Iterator[LedgerEntry]
) -> ChainFinding | None:
    before = last.hash if last else GENESIS
    if entry.seq != place:
        until = entry.seq - 1
        text = f"entry {place} is missing" if until <= place else f"entries {place} to {until} are missing"
        return ChainFinding(Damage.MISSING, place, text)
    fits = entry.computed_hash == entry.hash
    if fits and entry.previous == before:
        return None
    if entry.previous != before:
        place_of_next = next((other.seq for other in rest if other.previous == before), None)
        if place_of_next is not None:
            return ChainFinding(
                Damage.REORDERED, place, f"entry {place} was moved: the one that belongs there is at {place_of_next}"
            )
        if fits and last is not None:
            text = f"entry {last.seq} was altered and its hash computed anew: entry {place} does not continue it"
            return ChainFinding(Damage.ALTERED, last.seq, text)
    return ChainFinding(Damage.ALTERED, place, f"entry {place} was altered: its hash does not fit its content")
