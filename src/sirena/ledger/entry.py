"""One row of the ledger, and the hash that chains it to the row before.

A hash covers the entry's place, its whole content and the hash before, so whoever alters, removes or moves a row
must compute every later hash anew, and then the last one is no longer the one that was noted elsewhere.
"""

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any, Final, Self

from sirena.ledger.event import Event

GENESIS: Final = "0" * 64
"""What the first entry continues."""
_SCHEME: Final = "sirena-ledger/1"


@dataclass(frozen=True)
class LedgerEntry:
    """A row as it stands in the database; texts, so that the hash covers exactly what is stored."""

    seq: int
    """Place, from 1 without a gap."""
    at: str
    """UTC, ISO 8601 with microseconds."""
    event: str
    """Name in the catalogue."""
    outcome: str
    who: str
    origin: str
    request_id: str
    act: str
    """Shared by all entries of one act."""
    details: str
    """What this kind of event says beyond that: JSON, keys sorted."""
    previous: str
    """Hash of the entry before."""
    hash: str = ""

    @classmethod
    def after(cls, last: "LedgerEntry | None", event: Event) -> Self:
        """Return the entry that continues another, or begins the ledger."""
        facts: dict[str, Any] = {
            "seq": last.seq + 1 if last else 1,
            "at": event.at.isoformat(timespec="microseconds"),
            "event": event.event,
            "outcome": event.outcome.value,
            "who": event.who,
            "origin": event.origin,
            "request_id": event.request_id,
            "act": event.act,
            "details": canonical(event.details()),
            "previous": last.hash if last else GENESIS,
        }
        return cls(**facts, hash=_digest(facts))

    @property
    def computed_hash(self) -> str:
        """The hash that its content has now."""
        return _digest({one.name: getattr(self, one.name) for one in fields(self) if one.name != "hash"})

    def facts(self) -> dict[str, Any]:
        """Return the details as a mapping; an empty one when they were altered and cannot be read."""
        try:
            read = json.loads(self.details)
        except (TypeError, ValueError):
            return {}
        return read if isinstance(read, dict) else {}


def canonical(value: Any) -> str:
    """Return JSON that is the same for the same content: keys sorted, no spaces, ASCII."""
    # a value of a foreign type can only have been put there by hand; it must change the hash, not stop the check
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=repr)


def _digest(facts: dict[str, Any]) -> str:
    return hashlib.sha256(f"{_SCHEME}\n{canonical(facts)}".encode()).hexdigest()
