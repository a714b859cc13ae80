"""Alarms of a panel's source: what it holds differs from what was judged. The panel in use keeps answering."""

from dataclasses import dataclass
from typing import Final

STORES: Final = ("alias", "row", "artifact", "cache", "ledger")
"""Where an alarm may arise; the labels of the metric."""


@dataclass(frozen=True)
class SourceAlarm:
    """One thing that differs from what was judged."""

    store: str
    """Where it was found: one of `STORES`."""
    text: str
    """Message for a person, which names release, file or tag, but never a value of a request."""
