"""What was counted of an open file for a page, kept so that its pictures, its downloads and Reload count nothing anew.

Rules, each with a test of like name:

- the same question is counted once while nothing changed, however many ask at a time;
- the looks of a file hold `MOST_BYTES_OF_LOOKS` at most: the one seen longest ago makes room, a larger one is not kept.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Final, Protocol, TypeVar

MOST_BYTES_OF_LOOKS: Final = 8 * 1024**2
"""Memory that the looks of one open file may hold; tables and pictures grow with strata, not with isolates."""


class KeptLook(Protocol):
    """What was counted for a page."""

    @property
    def size(self) -> int:
        """Bytes of memory it holds at most, about."""


_L = TypeVar("_L", bound=KeptLook)


class KeptLooks:
    """The looks of one open file; safe to share between threads."""

    def __init__(self, most_bytes: int = MOST_BYTES_OF_LOOKS) -> None:
        """Keep nothing yet.

        Args:
            most_bytes: memory that all of them may hold.
        """
        self._most_bytes = most_bytes
        self._looks: OrderedDict[Hashable, Any] = OrderedDict()
        self._one_at_a_time = Lock()

    def look(self, question: Hashable, count: Callable[[], _L]) -> _L:
        """Return what was counted for a question, or count it.

        Args:
            question: names everything that the counting goes by.
            count: does the work; whoever asks meanwhile waits.
        """
        with self._one_at_a_time:
            if question not in self._looks:
                counted = count()
                if counted.size <= self._most_bytes:
                    self._looks[question] = counted
                while sum(look.size for look in self._looks.values()) > self._most_bytes:
                    self._looks.popitem(last=False)
                return counted
            self._looks.move_to_end(question)
            kept: _L = self._looks[question]
            return kept
