"""Several processes that accept on one socket take connections in turn.

Else the first to wake takes all that wait, and connections that stay open leave the other processes idle: of 8, one
process had all.

Rules, each with a test of like name:

- a process that has more connections than another leaves the next to it;
- a connection that no other takes within some milliseconds is taken by whoever sees it.
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
"""How long a connection is left to others."""
_PAUSE_SECONDS: Final = 1.0
"""How long nothing is accepted after it failed, as when no descriptor is left."""


class Turns:
    """How many connections each process has, in memory that they share."""

    def __init__(self, processes: int) -> None:
        """Begin with none of them there; to be made before they are forked."""
        self._counts = memoryview(mmap.mmap(-1, _BYTES * processes)).cast("I")
        for place in range(processes):
            self.leave(place)

    def note(self, place: int, connections: int) -> None:
        """Say how many connections the process of this place has."""
        self._counts[place] = connections

    def leave(self, place: int) -> None:
        """Say that the process of this place is not there."""
        self._counts[place] = _ABSENT

    def is_there(self, place: int) -> bool:
        """Tell whether the process of this place came to accept connections, and did not leave."""
        return self._counts[place] != _ABSENT

    def is_due(self, place: int) -> bool:
        """Tell whether no process has fewer connections than that of this place."""
        return self._counts[place] <= min(self._counts)


class TurnServer(uvicorn.Server):
    """uvicorn's server, as one of several processes that accept on one socket."""

    def __init__(self, config: uvicorn.Config, turns: Turns, place: int) -> None:
        """Serve as the process of this place."""
        super().__init__(config)
        self._turns = turns
        self._place = place
        self._arriving: set[asyncio.Task[object]] = set()
        self._later: asyncio.TimerHandle | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and accept on the one socket in turn."""
        await super().startup([])
        if self.started and sockets:
            self._loop = asyncio.get_running_loop()
            (self._listening,) = sockets
            self._listening.setblocking(False)
            self._note()
            self._listen()

    async def on_tick(self, counter: int) -> bool:
        """Tell, ten times a second, how many connections are open."""
        self._note()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more, and end as uvicorn does."""
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
