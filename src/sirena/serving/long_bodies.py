"""Bodies that are answered in a thread, because small questions would wait for them too long in the event loop.

Rules, each with a test of like name:

- few are answered at once, the others in their turn: each takes some ten times its length in memory, and Python
  computes in one thread at a time;
- one whose client left while it waited is not answered: clients that give up and ask again would keep out the others;
- bodies that arrive, wait or are answered take no more than a set number of bytes: further ones are refused at once;
- when none was answered for a while, the memory that they took is given back.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar, TypeVarTuple, Unpack

from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from sirena.serving.errors import BusyError
from sirena.serving.memory import give_back_memory

REST_SECONDS: Final = 1.0
"""After so long without a long body memory is given back; sooner, the next would have to take it anew."""
_Arguments = TypeVarTuple("_Arguments")
_R = TypeVar("_R")


class LongBodies:
    """Has long bodies answered, in one event loop."""

    def __init__(self, at_once: int, most_bytes: int) -> None:
        """Answer none yet.

        Args:
            at_once: how many are answered at once.
            most_bytes: how many bytes of bodies are held at once.
        """
        self._turns = CapacityLimiter(at_once)
        self._most_bytes = most_bytes
        self._held_bytes = 0
        self._rest: asyncio.TimerHandle | None = None

    @contextmanager
    def counter(self) -> Iterator[Callable[[int], None]]:
        """Give a function that counts a request's body, piece by piece; it is held until the block ends.

        The function takes the length of a piece in bytes and raises `BusyError` if all held bodies were longer than
        allowed with it.
        """
        own_bytes = 0

        def count(length: int) -> None:
            nonlocal own_bytes
            if self._held_bytes + length > self._most_bytes:
                raise BusyError(
                    "more is being asked than can be answered soon", hint="repeat the request in some seconds"
                )
            own_bytes += length
            self._held_bytes += length

        try:
            yield count
        finally:
            self._held_bytes -= own_bytes

    async def run(self, receive: Receive, work: Callable[[Unpack[_Arguments]], _R], *arguments: *_Arguments) -> _R:
        """Do the work of answering one in a thread, in its turn.

        Args:
            receive: ASGI function that gave the body, all of it.
            work: what is done in the thread.
            arguments: those of `work`.

        Raises:
            ClientDisconnect: the client left before its turn.
        """
        # nothing comes after the body but that the client left, which the server notices while it is asked
        departure = asyncio.ensure_future(receive())
        try:
            async with self._turns:
                if departure.done():
                    raise ClientDisconnect
                return await to_thread.run_sync(work, *arguments)
        finally:
            departure.cancel()
            if self._rest is not None:
                self._rest.cancel()
            self._rest = asyncio.get_running_loop().call_later(REST_SECONDS, give_back_memory)
