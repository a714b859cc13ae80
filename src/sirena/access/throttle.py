"""Refusing passwords from an address that sent many wrong ones."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

LIMIT: Final = 50
"""Wrong passwords from one address within `WINDOW` after which further ones are refused unchecked."""
WINDOW: Final = 300.0
"""Seconds for which a wrong password counts."""
_ADDRESSES: Final = 10_000


class FailureThrottle:
    """Counts wrong passwords by client address, in memory: a restart forgets them, but not the locks of accounts."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[str, deque[float]] = {}

    def is_closed(self, address: str) -> bool:
        """Tell whether passwords from an address are refused unchecked at the moment."""
        times = self._failures.get(address)
        if times is None:
            return False
        while times and times[0] < self._clock() - WINDOW:
            times.popleft()
        return len(times) >= LIMIT

    def note(self, address: str) -> None:
        """Count a wrong password from an address."""
        if len(self._failures) >= _ADDRESSES and address not in self._failures:
            # the oldest address is forgotten, so that a flood of addresses cannot fill the memory
            del self._failures[next(iter(self._failures))]
        self._failures.setdefault(address, deque(maxlen=LIMIT)).append(self._clock())
