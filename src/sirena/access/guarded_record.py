"""The way of events to the ledger: refusals pass a guard against floods, everything else goes straight."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from sirena.access.events import Notify
from sirena.access.floods import Floods, RefusedSource

_GUARDED: Final = frozenset({"refusal", "login_failed"})
_SINGLY: Final = 20
"""Different refusals of one account, address and cause that stand one by one on record within a minute."""


class GuardedRecord:
    """A `Notify` that lets no source fill the ledger; safe to share between threads."""

    def __init__(self, notify: Notify, clock: Callable[[], float] = time.time) -> None:
        """Stand before another `Notify`."""
        self._notify = notify
        self._floods = Floods(_SINGLY, clock)
        self._lock = threading.Lock()
        self._waiting: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, event: str, facts: Mapping[str, Any]) -> None:
        """Record an event, or count it."""
        if event in _GUARDED:
            source = RefusedSource(event, facts.get("origin", ""), facts.get("who", ""), facts.get("cause", ""))
            what = f"{facts['action']} {facts['resource']}" if event == "refusal" else ""
            with self._lock:
                if not self._floods.admits(source, what, facts):
                    return
        self._notify(event, facts)

    def tell_counts(self, *, everything: bool = False) -> None:
        """Record what was counted in windows that have ended; to be called every few seconds.

        Args:
            everything: also what is still being counted, because the process ends.

        Raises:
            SirenaError: the ledger cannot be written; the counts are kept for the next call.
        """
        with self._lock:
            self._waiting += [(held.source.event, held.facts) for held in self._floods.due(everything=everything)]
            while self._waiting:
                self._notify(*self._waiting[0])
                del self._waiting[0]
