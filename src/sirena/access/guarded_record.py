"""The way of events to the ledger: refusals pass a guard against floods, everything else goes straight."""

import threading
import time
from collections.abc import Callable
from typing import Final

from sirena.access.events import Notify
from sirena.access.floods import Floods, RefusalEvent
from sirena.ledger.catalogue import AccessRefused
from sirena.ledger.event import Event

_SINGLY: Final = 20
"""Different refusals of one account, address and cause that stand one by one on record within a minute."""


class GuardedRecord:
    """A `Notify` that lets no source fill the ledger; safe to share between threads."""

    def __init__(self, notify: Notify, clock: Callable[[], float] = time.time) -> None:
        """Pass events on to another `Notify`."""
        self._notify = notify
        self._floods = Floods(_SINGLY, clock)
        self._lock = threading.Lock()
        self._waiting: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Record an event, or count it."""
        if isinstance(event, RefusalEvent):
            subject = f"{event.action} {event.resource}" if isinstance(event, AccessRefused) else ""
            with self._lock:
                if not self._floods.admits(event, subject):
                    return
        self._notify(event)

    def tell_counts(self, *, everything: bool = False) -> None:
        """Record what was counted in windows that have ended; to be called every few seconds.

        Args:
            everything: also what is still being counted, because the process ends.

        Raises:
            SirenaError: the ledger cannot be written; the counts are kept for the next call.
        """
        with self._lock:
            self._waiting += [count.event for count in self._floods.due(everything=everything)]
            while self._waiting:
                self._notify(self._waiting[0])
                del self._waiting[0]
