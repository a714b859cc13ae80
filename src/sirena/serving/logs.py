"""The service's log: one JSON object a line, on standard output."""

import asyncio
import fcntl
import os
import sys
import threading
from collections import deque
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import orjson

_OPTIONS: Final = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
_WAIT_SECONDS: Final = 0.01
"""How long a request's line may wait for others: a write costs as much as answering an isolate."""


class LogTurn(AbstractContextManager[None]):
    """In which one thread of one of several processes writes, so that no line tears another."""

    def __init__(self) -> None:
        """Begin; to be made before the processes are forked."""
        self._file = os.memfd_create("sirena-log")
        self._thread = threading.Lock()

    def __enter__(self) -> None:
        """Wait for the turn."""
        self._thread.acquire()
        # released by the kernel when the process ends
        fcntl.lockf(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        """Leave it to the next."""
        fcntl.lockf(self._file, fcntl.LOCK_UN)
        self._thread.release()


class ServiceLog:
    """Writes events: a request's within a hundredth of a second and together with those of others, all else at once.

    Ours and no library's, because every request writes a line: structlog takes three times as long for the same one,
    as long as answering an isolate.
    """

    def __init__(self, stream: TextIO | None = None, turn: AbstractContextManager[None] | None = None) -> None:
        """Write to a stream; to standard output when None.

        Args:
            stream: that is written to.
            turn: entered to write, where several processes write to one stream.
        """
        self._stream = stream or sys.stdout
        self._turn = turn or nullcontext()
        self._waiting: deque[bytes] = deque()
        self._is_due = False
        """The loop will write soon; of use in the loop alone."""

    def info(self, event: str, **facts: Any) -> None:
        """Write one line, after those that wait: the facts, the event, its level and the time in UTC."""
        self._waiting.append(_line(event, facts))
        self.write()

    def info_soon(self, event: str, facts: dict[str, Any]) -> None:
        """Write such a line within a hundredth of a second; to be called in the event loop.

        Args:
            event: what happened.
            facts: of it; the log takes them over.
        """
        self._waiting.append(_line(event, facts))
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_later(_WAIT_SECONDS, self._write_what_is_due)

    def _write_what_is_due(self) -> None:
        self._is_due = False
        self.write()

    def write(self) -> None:
        """Write the lines that wait."""
        lines = []
        # until none is left, not so many as there are: the thread that loads panels writes as well
        with suppress(IndexError):
            while True:
                lines.append(self._waiting.popleft())
        if lines:
            with self._turn:
                self._stream.write(b"".join(lines).decode())
                self._stream.flush()


def _line(event: str, facts: dict[str, Any]) -> bytes:
    facts["event"] = event
    facts["level"] = "info"
    facts["timestamp"] = datetime.now(UTC)
    return orjson.dumps(facts, str, _OPTIONS)
