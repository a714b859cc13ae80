"""Long bodies: few at once, and their memory given back."""

import asyncio
import threading
import time
from pathlib import Path

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from sirena.serving import long_bodies
from sirena.serving.long_bodies import LongBodies
from sirena.serving.memory import give_back_memory

PIECES = 1000
PIECE_BYTES = 60_000
"""So long, and no longer, a piece is kept by the C library when it is freed."""


def resident_bytes() -> int:
    """Return the memory of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


async def stays() -> Message:
    """Receive from a client that waits for its answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def leaves() -> Message:
    """Receive from a client that closed the connection."""
    return {"type": "http.disconnect"}


def work() -> bytes:
    """Take much memory, and keep the last of it, so that the rest is not at the end of what the process has."""
    return [b"x" * length for length in [PIECE_BYTES] * PIECES][-1]


def test_free_memory_is_given_back() -> None:
    """What was freed between pieces that are in use leaves the process too."""
    kept = work()
    before = resident_bytes()
    give_back_memory()
    assert resident_bytes() < before - PIECES * PIECE_BYTES // 2
    assert len(kept) == PIECE_BYTES


def test_memory_is_given_back_when_no_long_body_came_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process becomes as small as it was, by itself."""
    monkeypatch.setattr(long_bodies, "REST_SECONDS", 0.01)

    async def answer() -> bool:
        give_back_memory()
        before = resident_bytes()
        kept = await LongBodies(1, 1).run(stays, work)
        end = time.monotonic() + 60
        while resident_bytes() > before + PIECES * PIECE_BYTES // 2 and time.monotonic() < end:
            await asyncio.sleep(0.01)
        return resident_bytes() <= before + PIECES * PIECE_BYTES // 2 and len(kept) == PIECE_BYTES

    assert asyncio.run(answer())


def test_few_are_answered_at_once_the_others_in_their_turn() -> None:
    """The next begins when one has ended."""
    lock, running, most = threading.Lock(), 0, 0
    both = threading.Barrier(2)

    def count() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both.wait(60)
        with lock:
            running -= 1

    async def answer() -> None:
        bodies = LongBodies(2, 1)
        await asyncio.gather(*(bodies.run(stays, count) for _ in range(6)))

    asyncio.run(answer())
    assert (running, most) == (0, 2)


def test_a_body_whose_client_left_is_not_answered() -> None:
    """Who waits behind it has the turn at once."""
    answered: list[str] = []

    async def answer() -> list[BaseException | None]:
        bodies = LongBodies(1, 1)
        clients = {"first": stays, "gone": leaves, "last": stays}
        return await asyncio.gather(
            *(bodies.run(receive, answered.append, name) for name, receive in clients.items()), return_exceptions=True
        )

    first, gone, last = asyncio.run(answer())
    assert answered == ["first", "last"]
    assert first is last is None
    assert isinstance(gone, ClientDisconnect)
