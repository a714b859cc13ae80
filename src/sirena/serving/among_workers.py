"""What a worker has to do with the others: it tells its parent what it counted, and takes what is published."""

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import Final

from sirena.serving.channel import dump, load, receive, send
from sirena.serving.publishing import Publication, PublishedSource
from sirena.serving.totals import Counting, Totals, add_up

_TELL_SECONDS: Final = 1.0
"""How often a worker tells what it counted without being asked: so much is lost when it is killed."""


class WorkerMessage(bytes, Enum):
    """What messages between the parent and its children say."""

    PUBLISHED = b"published"
    """A publication, from the process that asks the source, and on to the workers."""
    ASK = b"ask"
    """A worker wants to know what the others counted."""
    TELL = b"tell"
    """A worker is to tell what it counted; a number, by which the parent knows the answer again, follows."""
    TOLD = b"told"
    """What it counted; the same number follows, 0 for what nobody asked for."""
    OTHERS = b"others"
    """What the others counted, those that ended among them."""

    def numbered(self, number: int) -> bytes:
        """Return the word with a number."""
        return b"%b %d" % (self.value, number)


class AmongWorkers(Counting):
    """A worker's end of its channel."""

    def __init__(self, source: PublishedSource) -> None:
        """Be nobody's end yet; an application is made with this before the worker is.

        Args:
            source: that takes what is published.
        """
        self._source = source
        self._asking = asyncio.Lock()
        self._others: asyncio.Future[Totals] | None = None
        self._requests_told = 0
        self._timer: asyncio.TimerHandle | None = None

    def connect(self, channel: socket.socket, on_news: Callable[[], None]) -> None:
        """Be the end of this channel.

        Args:
            channel: to the parent.
            on_news: called when something was published.
        """
        self._channel = channel
        self._on_news = on_news

    def start(self, own: Callable[[], Totals]) -> None:
        """Listen to the parent, in the event loop."""
        self._own = own
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._channel, self._hear)
        self._tell_again()

    async def totals(self) -> Totals:
        """Return what all workers counted together."""
        async with self._asking:
            self._others = self._loop.create_future()
            # what is told of this worker now must not be lost with it
            self._tell(0)
            send(self._channel, WorkerMessage.ASK)
            others = await self._others
        own = self._own()
        both = add_up([own, others])
        return Totals(
            both.tallies,
            # what the others counted of another shadow, which ended, is over
            both.shadow if others.shadow.shadow == own.shadow.shadow else own.shadow,
            # a release that was published is taken up once by the service, however many workers do
            self._source.standing.loads,
        )

    def stop(self) -> None:
        """Tell the last."""
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._channel)
        self._tell(0)

    def _hear(self) -> None:
        word, files = receive(self._channel)
        word, _, number = word.partition(b" ")
        if word == WorkerMessage.PUBLISHED:
            try:
                publication = Publication.received(files)
            except Exception:  # noqa: BLE001 - whatever it was, as when no file can be opened any more
                # its successor is made with it, and this one must not answer by what is old
                os.kill(os.getpid(), signal.SIGKILL)
                return
            self._source.take(publication)
            self._on_news()
        elif word == WorkerMessage.TELL:
            self._tell(int(number))
        elif word == WorkerMessage.OTHERS:
            # whoever asked may have ended meanwhile
            if self._others is not None and not self._others.done():
                self._others.set_result(load(files[0]))
            os.close(files[0])
        elif not word:
            # the parent is gone: the kernel ends this process, see `workers`
            self._loop.remove_reader(self._channel)

    def _tell(self, number: int) -> None:
        file = dump(self._own())
        with suppress(OSError):  # the parent was killed, and this process ends
            send(self._channel, WorkerMessage.TOLD.numbered(number), [file])
        os.close(file)

    def _tell_again(self) -> None:
        requests = self._own().tallies.requests.total()
        if requests != self._requests_told:
            self._requests_told = requests
            self._tell(0)
        self._timer = self._loop.call_later(_TELL_SECONDS, self._tell_again)
