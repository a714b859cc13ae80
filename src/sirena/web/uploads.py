"""How many files come at a time: bodies are held in memory from their first byte, so their number is bounded.

Rules, each with a test of like name:

- one person sends one file at a time, and all together `MOST_AT_ONCE`; who comes above that is asked to come again;
- a file that does not arrive within `SECONDS` is given up;
- `READ_AT_ONCE` are read at a time, the others wait for their turn.
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
    """The files that are coming now; used in one event loop."""

    def __init__(self, seconds: float = SECONDS) -> None:
        """Expect none yet.

        Args:
            seconds: how long a file may take to arrive.
        """
        self._seconds = seconds
        self._people: set[str] = set()
        self._readers: CapacityLimiter | None = None

    @contextmanager
    def coming(self, person: str) -> Iterator[None]:
        """Let a file of a person come and be read, for the length of a block.

        Raises:
            HTTPException: 503, too many come already.
        """
        if person in self._people or len(self._people) >= MOST_AT_ONCE:
            raise HTTPException(_BUSY)
        self._people.add(person)
        try:
            yield
        finally:
            self._people.discard(person)

    async def arrive(self, body: Awaitable[_R]) -> _R:
        """Wait until a file is here.

        Raises:
            HTTPException: 408, it comes too slowly.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await body
        except TimeoutError:
            raise HTTPException(_TOO_SLOW) from None

    async def read(self, work: Callable[[], _R]) -> _R:
        """Do the work of reading a file in a thread, in its turn."""
        if self._readers is None:
            self._readers = CapacityLimiter(READ_AT_ONCE)
        return await to_thread.run_sync(work, limiter=self._readers)
