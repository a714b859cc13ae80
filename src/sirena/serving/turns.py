"""Several processes that accept on one socket take connections in turn.

Otherwise the first process to wake takes all waiting connections, and if these stay open, the other processes are idle:
with 8 processes, one had all connections.

Rules, each with a test of like name:

- a process with more connections than another leaves the next connection to that one;
- a connection that stays untaken for some milliseconds is accepted by any process that sees it.
"""

import asyncio
import mmap
import socket
from contextlib import suppress
from typing import Final

import uvicorn

_BYTES: Final = 4
_ABSENT: Final = 2**32 - 1
_PATIENCE_SECONDS: Final = 0.002
"""Seconds that a connection is left to other processes."""
_PAUSE_SECONDS: Final = 1.0
"""Seconds without accepting after it failed, for example because no file descriptor was left."""


class Turns:
    """Number of connections of each process, in shared memory."""

    def __init__(self, processes: int) -> None:
        """Mark all processes as absent; call it before they are forked."""
        self._counts = memoryview(mmap.mmap(-1, _BYTES * processes)).cast("I")
        for place in range(processes):
            self.leave(place)

    def note(self, place: int, connections: int) -> None:
        """Set the number of connections of a process."""
        self._counts[place] = connections

    def leave(self, place: int) -> None:
        """Mark a process as absent."""
        self._counts[place] = _ABSENT

    def is_there(self, place: int) -> bool:
        """Tell whether the process of this place came to accept connections, and did not leave."""
        return self._counts[place] != _ABSENT

    def is_due(self, place: int) -> bool:
        """Tell whether no process has fewer connections than this one."""
        return self._counts[place] <= min(self._counts)


class TurnServer(uvicorn.Server):
    """uvicorn's server for one of several processes that accept on the same socket."""

    def __init__(self, config: uvicorn.Config, turns: Turns, place: int) -> None:
        """Set the turns, and the number of this process."""
        super().__init__(config)
        self._turns = turns
        self._place = place
        self._arriving: set[asyncio.Task[object]] = set()
        self._later: asyncio.TimerHandle | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and accept connections on the socket in turn."""
        await super().startup([])
        if self.started and sockets:
            self._loop = asyncio.get_running_loop()
            (self._listening,) = sockets
            self._listening.setblocking(False)
            self._note()
            self._listen()

    async def on_tick(self, counter: int) -> bool:
        """Publish the number of open connections, ten times a second."""
        self._note()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, and end as uvicorn does."""
        if self._later is not None:
            self._later.cancel()
        self._loop.remove_reader(self._listening)
        self._turns.leave(self._place)
        await asyncio.gather(*self._arriving, return_exceptions=True)
        await super().shutdown(sockets)

    def _listen(self) -> None:
        self._later = None
        self._loop.add_reader(self._listening, self._accept_in_turn)

    def _note(self) -> None:
        self._turns.note(self._place, len(self.server_state.connections) + len(self._arriving))

    def _accept_in_turn(self) -> None:
        if self._turns.is_due(self._place):
            self._accept()
        else:
            self._pause(_PATIENCE_SECONDS)

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._listening)
        self._later = self._loop.call_later(seconds, self._accept_and_listen)

    def _accept_and_listen(self) -> None:
        self._listen()
        self._accept()

    def _accept(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return  # another process was quicker, or the caller is gone
        except OSError:
            self._pause(_PAUSE_SECONDS)
            return
        connection.setblocking(False)
        task = self._loop.create_task(self._connect(connection))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)
        self._note()

    async def _connect(self, connection: socket.socket) -> None:
        with suppress(OSError):  # the caller is gone
            await self._loop.connect_accepted_socket(self._make_protocol, connection)

    def _make_protocol(self) -> asyncio.Protocol:
        # uvicorn's types know a class of protocols, of which it makes one so
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
