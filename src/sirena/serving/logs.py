"""The service's log: one JSON object per line, on standard output."""

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
"""Seconds that a request's line may wait to be written together with others, since a write is slow."""


class LogTurn(AbstractContextManager[None]):
    """A lock for writing, shared by the threads of several processes, so that no line is cut by another."""

    def __init__(self) -> None:
        """Make the lock; call it before the processes are forked."""
        self._file = os.memfd_create("sirena-log")
        self._thread = threading.Lock()

    def __enter__(self) -> None:
        """Wait for the lock."""
        self._thread.acquire()
        # released by the kernel when the process ends
        fcntl.lockf(self._file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        """Release the lock."""
        fcntl.lockf(self._file, fcntl.LOCK_UN)
        self._thread.release()


class ServiceLog:
    """Writes events: those of requests within a hundredth of a second, several together; all others at once.

    It is not a library's, because every request writes a line: structlog needs three times as long for the same line,
    which is as long as answering an isolate.
    """

    def __init__(self, stream: TextIO | None = None, turn: AbstractContextManager[None] | None = None) -> None:
        """Write to a stream, or to standard output if it is None.

        Args:
            stream: stream for the lines.
            turn: lock for writing, if several processes write to one stream.
        """
        self._stream = stream or sys.stdout
        self._turn = turn or nullcontext()
        self._waiting: deque[bytes] = deque()
        self._is_due = False
        """True if the event loop will write soon; used in the event loop only."""

    def info(self, event: str, **facts: Any) -> None:
        """Write one line, after those that wait: the facts, the event, its level and the time in UTC."""
        self._waiting.append(_line(event, facts))
        self.write()

    def info_soon(self, event: str, facts: dict[str, Any]) -> None:
        """Write such a line within a hundredth of a second; call it in the event loop.

        Args:
            event: name of the event.
            facts: facts of the event; the log may change this dictionary.
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
