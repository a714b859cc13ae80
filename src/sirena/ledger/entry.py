"""An entry of the ledger, and the hash that chains it to the entry before.

The hash covers the entry's number, its whole content and the hash of the entry before. So whoever alters, removes or
moves an entry must compute every later hash anew, and then the last hash differs from the one noted elsewhere.
"""

import hashlib
import json
from dataclasses import dataclass, fields
from typing import Any, Final, Self

from sirena.ledger.event import Event

GENESIS: Final = "0" * 64
"""What the first entry has as the hash of the entry before."""
_SCHEME: Final = "sirena-ledger/1"


@dataclass(frozen=True)
class LedgerEntry:
    """An entry as it is stored in the database, as texts, so that the hash covers exactly what is stored."""

    seq: int
    """Number of the entry, counted from 1 without a gap."""
    at: str
    """UTC, ISO 8601 with microseconds."""
    event: str
    """Name of the kind of event in the catalogue."""
    outcome: str
    who: str
    origin: str
    request_id: str
    act: str
    """Shared by all entries of one act."""
    details: str
    """Facts of this kind of event, as JSON with sorted keys."""
    previous: str
    """Hash of the entry before."""
    hash: str = ""

    @classmethod
    def after(cls, last: "LedgerEntry | None", event: Event) -> Self:
        """Create the entry of an event, to follow the last entry; if that is None, the entry begins the ledger."""
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
        """Hash computed from the entry's current content."""
        return _digest({column.name: getattr(self, column.name) for column in fields(self) if column.name != "hash"})

    def facts(self) -> dict[str, Any]:
        """Return the details as a mapping; empty if they were altered so that they cannot be read."""
        try:
            facts = json.loads(self.details)
        except (TypeError, ValueError):
            return {}
        return facts if isinstance(facts, dict) else {}


def canonical(value: Any) -> str:
    """Return JSON that is always the same for the same content: keys sorted, no spaces, ASCII."""
    # a value of a foreign type can only have been put there by hand; it must change the hash, not stop the check
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=repr)


def _digest(facts: dict[str, Any]) -> str:
    return hashlib.sha256(f"{_SCHEME}\n{canonical(facts)}".encode()).hexdigest()
