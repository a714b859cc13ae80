"""Limiting how many files are uploaded at a time, since each is held in memory from its first byte.

Rules, each with a test of like name:

- one person sends one file at a time, and all together `MOST_AT_ONCE`; further uploads are refused and may be tried
again; - a file that does not arrive within `SECONDS` is refused; - `READ_AT_ONCE` files are read at a time; the others
wait for their turn.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.exceptions import HTTPException

MOST_AT_ONCE: Final = 6
SECONDS: Final = 600.0
READ_AT_ONCE: Final = 2
_BUSY: Final = 503
_TOO_SLOW: Final = 408
_R = TypeVar("_R")


class Uploads:
    """The uploads in progress; all calls must come from one event loop."""

    def __init__(self, seconds: float = SECONDS) -> None:
        """Create the counter; no upload is in progress yet.

        Args:
            seconds: how long a file may take to arrive.
        """
        self._seconds = seconds
        self._people: set[str] = set()
        self._readers: CapacityLimiter | None = None

    @contextmanager
    def room_for(self, person: str) -> Iterator[None]:
        """Count a person's upload as in progress during a ``with`` block.

        Raises:
            HTTPException: 503, the person has another upload in progress, or too many are in progress.
        """
        if person in self._people or len(self._people) >= MOST_AT_ONCE:
            raise HTTPException(_BUSY)
        self._people.add(person)
        try:
            yield
        finally:
            self._people.discard(person)

    async def arrive(self, body: Awaitable[_R]) -> _R:
        """Wait until a file has arrived, and return it.

        Raises:
            HTTPException: 408, the file did not arrive in time.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await body
        except TimeoutError:
            raise HTTPException(_TOO_SLOW) from None

    async def read(self, work: Callable[[], _R]) -> _R:
        """Read a file in a thread, when it is the file's turn, and return the result."""
        if self._readers is None:
            self._readers = CapacityLimiter(READ_AT_ONCE)
        return await to_thread.run_sync(work, limiter=self._readers)
