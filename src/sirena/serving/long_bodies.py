"""Bodies that are answered in a thread, because small questions would wait for them too long in the event loop.

Rules, each with a test of like name:

- few are answered at once, the others in their turn: each takes some ten times its length in memory, and Python
  computes in one thread at a time;
- when none was answered for a while, the memory that they took is given back.
"""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar, TypeVarTuple, Unpack

from anyio import CapacityLimiter, to_thread

from sirena.serving.memory import give_back_memory

REST_SECONDS: Final = 1.0
"""After so long without a long body memory is given back; sooner, the next would have to take it anew."""
_Arguments = TypeVarTuple("_Arguments")
_R = TypeVar("_R")


class LongBodies:
    """Has long bodies answered, in one event loop."""

    def __init__(self, at_once: int) -> None:
        """Answer none yet.

        Args:
            at_once: how many are answered at once.
        """
        self._turns = CapacityLimiter(at_once)
        self._rest: asyncio.TimerHandle | None = None

    async def run(self, work: Callable[[Unpack[_Arguments]], _R], *arguments: *_Arguments) -> _R:
        """Do the work of answering one in a thread, in its turn."""
        try:
            return await to_thread.run_sync(work, *arguments, limiter=self._turns)
        finally:
            if self._rest is not None:
                self._rest.cancel()
            self._rest = asyncio.get_running_loop().call_later(REST_SECONDS, give_back_memory)
