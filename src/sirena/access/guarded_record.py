"""Recording events in the ledger: floods of refusals are counted, all other events are recorded at once."""

import threading
import time
from collections.abc import Callable
from typing import Final

from sirena.access.events import Notify
from sirena.access.refusal_counting import RefusalCounter, RefusalEvent
from sirena.ledger.catalogue import AccessRefused
from sirena.ledger.event import Event

_SINGLY: Final = 20
"""Most refusals of one account, address and cause that are recorded one by one within a minute."""


class GuardedRecord:
    """A `Notify` that no client can use to fill the ledger; safe to share between threads."""

    def __init__(self, notify: Notify, clock: Callable[[], float] = time.time) -> None:
        """Record events by another `Notify`."""
        self._notify = notify
        self._refusal_counter = RefusalCounter(_SINGLY, clock)
        self._lock = threading.Lock()
        self._waiting_events: list[Event] = []

    def __call__(self, event: Event) -> None:
        """Record an event, or count it if it is one of a flood of refusals."""
        if isinstance(event, RefusalEvent):
            subject = f"{event.action} {event.resource}" if isinstance(event, AccessRefused) else ""
            with self._lock:
                if not self._refusal_counter.admits(event, subject):
                    return
        self._notify(event)

    def tell_counts(self, *, everything: bool = False) -> None:
        """Record the counts of floods of refusals whose minute has ended; to be called every few seconds.

        Args:
            everything: True to record unfinished counts too, because the process ends.

        Raises:
            SirenaError: the ledger cannot be written; the counts are kept for the next call.
        """
        with self._lock:
            self._waiting_events += [count.event for count in self._refusal_counter.due(everything=everything)]
            while self._waiting_events:
                self._notify(self._waiting_events[0])
                del self._waiting_events[0]
