"""What a worker exchanges with its parent: it reports what it counted, and receives what is published."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Final

from sirena.serving.channel import load, receive, send, send_object
from sirena.serving.publishing import Publication, PublishedSource
from sirena.serving.totals import Counting, Totals, add_up

_TELL_SECONDS: Final = 1.0
"""Seconds between two reports of a worker's counts; the counts since the last report are lost if it is killed."""
_PATIENCE_SECONDS: Final = 3.0
"""Seconds that a worker waits for the counts of the others; then it answers with the last that it received."""


class WorkerMessage(bytes, Enum):
    """Messages between the parent and its children."""

    PUBLISHED = b"published"
    """A publication: from the process that asks the source to the parent, and from the parent to the workers."""
    ASK = b"ask"
    """A worker asks for the counts of the others."""
    TELL = b"tell"
    """The parent asks a worker for its counts; the question's number follows."""
    TOLD = b"told"
    """A worker's counts; the question's number follows, or 0 if the parent did not ask."""
    OTHERS = b"others"
    """The counts of the other workers, including those that ended."""

    def numbered(self, number: int) -> bytes:
        """Return the message with a number appended."""
        return b"%b %d" % (self.value, number)


class AmongWorkers(Counting):
    """A worker's end of the channel to its parent."""

    def __init__(self, source: PublishedSource) -> None:
        """Start without a channel, since the application is made before the worker.

        Args:
            source: source that receives what is published.
        """
        self._source = source
        self._asking = asyncio.Lock()
        self._other_totals: asyncio.Future[Totals] | None = None
        self._last_other_totals = Totals()
        self._requests_told = 0
        self._timer: asyncio.TimerHandle | None = None

    def connect(self, channel: socket.socket, on_news: Callable[[], None]) -> None:
        """Use a channel.

        Args:
            channel: channel to the parent.
            on_news: called after something was published.
        """
        self._channel = channel
        self._on_news = on_news

    def start(self, own: Callable[[], Totals]) -> None:
        """Begin to listen to the parent, in the event loop."""
        self._own = own
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._channel, self._hear)
        self._tell_again()

    async def totals(self) -> Totals:
        """Return the counts of all workers together."""
        async with self._asking:
            self._other_totals = self._loop.create_future()
            # of this worker the answer holds what the parent was sent: no counter goes back should it end meanwhile
            own_totals = add_up([self._own()])
            self._tell(0, own_totals)
            with suppress(OSError, TimeoutError):  # the parent is gone, or could not tell; what is known is answered
                send(self._channel, WorkerMessage.ASK)
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    self._last_other_totals = await self._other_totals
            other_totals = self._last_other_totals
        service_totals = add_up([own_totals, other_totals])
        return Totals(
            service_totals.tallies,
            # what the others counted of another shadow, which ended, is over
            service_totals.shadow if other_totals.shadow.shadow == own_totals.shadow.shadow else own_totals.shadow,
        )

    def loads(self, _own: int, /) -> int:
        """Return how many were published: the service takes one up once, however many workers do."""
        return self._source.standing.loads

    def stop(self) -> None:
        """Stop listening, and report the last counts."""
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._channel)
        self._tell(0, self._own())

    def _hear(self) -> None:
        word, files = receive(self._channel)
        word, _, number = word.partition(b" ")
        if word == WorkerMessage.PUBLISHED:
            try:
                publication = Publication.from_files(files)
            except Exception:  # noqa: BLE001 - whatever it was, as when no file can be opened any more
                # its successor is made with it, and this one must not answer by what is old
                os.kill(os.getpid(), signal.SIGKILL)
                return
            self._source.take(publication)
            self._on_news()
        elif word == WorkerMessage.TELL:
            self._tell(int(number), self._own())
        elif word == WorkerMessage.OTHERS:
            self._take_others(files)
        elif not word:
            # the parent is gone; the kernel's own signal may have come before it was heard
            self._loop.remove_reader(self._channel)
            signal.raise_signal(signal.SIGTERM)

    def _take_others(self, files: list[int]) -> None:
        try:
            # whoever asked may have ended meanwhile, and the file may have been left out
            if files and self._other_totals is not None and not self._other_totals.done():
                self._other_totals.set_result(load(files[0]))
        finally:
            for file in files:
                os.close(file)

    def _tell(self, number: int, own: Totals) -> None:
        # the parent was killed, and this process ends; or it may open no more files, and tells the next time
        with suppress(OSError):
            send_object(self._channel, WorkerMessage.TOLD.numbered(number), own)
            self._requests_told = own.tallies.requests.total()

    def _tell_again(self) -> None:
        self._timer = self._loop.call_later(_TELL_SECONDS, self._tell_again)
        own = self._own()
        if own.tallies.requests.total() != self._requests_told:
            self._tell(0, own)
