"""A worker and its parent, whose part the tests play at the other end of the channel."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator

import pytest

from sirena.serving import among_workers
from sirena.serving.among_workers import AmongWorkers, WorkerMessage
from sirena.serving.channel import dump, load, open_channel, receive, send
from sirena.serving.metrics import Tallies
from sirena.serving.publishing import Publication, PublishedSource, Standing
from sirena.serving.totals import Totals


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, AmongWorkers]]:
    """The parent's end of a channel, and a worker at the other."""
    parent, channel = open_channel()
    worker = AmongWorkers(PublishedSource(Publication.of(Standing())))
    worker.connect(channel, lambda: None)
    yield parent, worker
    parent.close()
    channel.close()


def counted(isolates: int) -> Totals:
    """Return what was counted of so many isolates."""
    return Totals(Tallies(unknown_organisms=isolates))


def told(parent: socket.socket) -> int:
    """Return the isolates that the worker tells of next."""
    word, (file,) = receive(parent)
    assert word.startswith(WorkerMessage.TOLD)
    totals: Totals = load(file)
    os.close(file)
    return totals.tallies.unknown_organisms


def test_what_is_answered_of_a_worker_is_what_was_told(ends: tuple[socket.socket, AmongWorkers]) -> None:
    """What it counts while it waits for the others comes with the next answer, so no counter goes back if it ends."""
    parent, worker = ends
    own = counted(3)

    async def asked() -> Totals:
        worker.start(lambda: own)
        asking = asyncio.create_task(worker.totals())
        await asyncio.sleep(0)
        assert told(parent) == 3
        assert receive(parent) == (WorkerMessage.ASK, [])
        own.tallies.unknown_organisms += 1
        file = dump(counted(10))
        send(parent, WorkerMessage.OTHERS, [file])
        os.close(file)
        return await asking

    assert asyncio.run(asked()).tallies.unknown_organisms == 13


def test_a_worker_that_is_told_nothing_of_the_others_answers(
    ends: tuple[socket.socket, AmongWorkers], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`/metrics` tells what is known, and waits for nobody for ever."""
    parent, worker = ends
    monkeypatch.setattr(among_workers, "_PATIENCE_SECONDS", 0.01)

    async def asked() -> Totals:
        worker.start(lambda: counted(3))
        return await worker.totals()

    assert asyncio.run(asked()).tallies.unknown_organisms == 3
    assert told(parent) == 3


def test_a_worker_without_a_parent_ends(ends: tuple[socket.socket, AmongWorkers]) -> None:
    """It ends as after SIGTERM, should the kernel's own signal have come too early."""
    parent, worker = ends
    heard: list[int] = []

    async def left() -> None:
        worker.start(Totals)
        parent.close()
        while not heard:
            await asyncio.sleep(0.001)

    before = signal.signal(signal.SIGTERM, lambda number, _: heard.append(number))
    try:
        asyncio.run(left())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]
