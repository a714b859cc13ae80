"""Counts of an open file for a page, kept so that pictures, downloads and Reload do not count again.

Rules, each with a test of like name:

- the same request is counted once while nothing changes, however many people make it at a time;
- the counts of a file take at most `MOST_BYTES_OF_LOOKS`: the counts used longest ago are dropped, and larger counts
are not kept.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Final, Protocol, TypeVar

MOST_BYTES_OF_LOOKS: Final = 8 * 1024**2
"""Most bytes of memory for the counts of one open file; they grow with strata, not with isolates."""


class KeptLook(Protocol):
    """Counts for a page, with their size."""

    @property
    def size(self) -> int:
        """Approximate bytes of memory that the counts take."""


_L = TypeVar("_L", bound=KeptLook)


class KeptLooks:
    """The kept counts of one open file; safe to share between threads."""

    def __init__(self, most_bytes: int = MOST_BYTES_OF_LOOKS) -> None:
        """Create the store; no counts are kept yet.

        Args:
            most_bytes: maximum size in memory of all counts, in bytes.
        """
        self._most_bytes = most_bytes
        self._looks: OrderedDict[Hashable, Any] = OrderedDict()
        self._one_at_a_time = Lock()

    def look(self, question: Hashable, count: Callable[[], _L]) -> _L:
        """Return the counts kept for a request; if there are none, count and keep them.

        Args:
            question: all values on which the counts depend.
            count: function that counts; other callers wait meanwhile.
        """
        with self._one_at_a_time:
            if question not in self._looks:
                new_look = count()
                if new_look.size <= self._most_bytes:
                    self._looks[question] = new_look
                while sum(look.size for look in self._looks.values()) > self._most_bytes:
                    self._looks.popitem(last=False)
                return new_look
            self._looks.move_to_end(question)
            kept_look: _L = self._looks[question]
            return kept_look
