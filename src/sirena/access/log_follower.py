"""Reading the new lines of a log again and again, across rotation and truncation of the log and restarts of the reader.

A position in a log is a file and an offset; the file is recognised by its inode and a digest of its beginning, since
inodes are reused. After a rotation the old file, now ``.1``, ``.2`` …, is read to its end before the new one is begun.
The writer of the old file may still be finishing, so the old file counts as ended when nothing was added for `SETTLE`
seconds.
"""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SETTLE: Final = 3.0
"""Seconds; NGINX's processes open their logs anew within milliseconds of the signal to do so."""
_ROTATED: Final = 20
_BEGINNING: Final = 256
_AT_ONCE: Final = 2**20


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


@dataclass(frozen=True)
class LogPosition:
    """A position in a log: the file, and how far it was read."""

    inode: int = 0
    offset: int = 0
    beginning: str = _digest(b"")
    """SHA-256 of the first bytes that were read, at most 256 of them."""
    changed: float = 0.0
    """When the file had last been changed at the time it was read; seconds since 1970."""


class LogFollower:
    """Reader of the lines added to one log."""

    def __init__(
        self, path: Path, place: LogPosition | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Create a follower that reads from a place in the log.

        Args:
            path: the log; its rotated files are in the same folder, with a number after the name.
            place: where an earlier process ended; None begins with the oldest file there is.
            clock: seconds, for the wait at the end of a rotated file.
        """
        self._path = path
        self._clock = clock
        self._quiet_since: float | None = None
        self.place = place or LogPosition()

    def read(self) -> list[bytes]:
        """Return the new complete lines, at most 1 MiB, and remember the position in the file after them.

        Raises:
            OSError: a file was moved away meanwhile; the caller may try again.
        """
        files = self._files()
        at = next((number for number, file in enumerate(files) if self._is_mine(file)), None)
        if at is None:
            at = self._first_unread(files)
            if at is None:
                return []
            self._begin(files[at])
        lines = self._lines(files[at])
        if lines or at == len(files) - 1:
            self._quiet_since = None
        elif self._has_settled():
            self._begin(files[at + 1])
            return self._lines(files[at + 1])
        return lines

    def _files(self) -> list[Path]:
        """Return the rotated files and the log itself, oldest first."""
        old_files = [self._path.with_name(f"{self._path.name}.{number}") for number in range(_ROTATED, 0, -1)]
        return [file for file in (*old_files, self._path) if file.is_file()]

    def _is_mine(self, file: Path) -> bool:
        status = file.stat()
        if status.st_ino != self.place.inode or status.st_size < self.place.offset:
            return False
        with file.open("rb") as log:
            return _digest(log.read(min(self.place.offset, _BEGINNING))) == self.place.beginning

    def _first_unread(self, files: list[Path]) -> int | None:
        """Return the place in `files` of the oldest that changed since the last reading, whose own file is gone."""
        return next((number for number, file in enumerate(files) if file.stat().st_mtime > self.place.changed), None)

    def _begin(self, file: Path) -> None:
        self.place = LogPosition(file.stat().st_ino, changed=self.place.changed)

    def _lines(self, file: Path) -> list[bytes]:
        with file.open("rb") as log:
            status = os.fstat(log.fileno())
            if status.st_ino != self.place.inode:
                return []
            first_bytes = log.read(_BEGINNING)
            log.seek(self.place.offset)
            text = log.read(_AT_ONCE)
        complete = text[: text.rfind(b"\n") + 1]
        if complete:
            offset = self.place.offset + len(complete)
            self.place = LogPosition(
                status.st_ino, offset, _digest(first_bytes[: min(offset, _BEGINNING)]), status.st_mtime
            )
        return complete.splitlines()

    def _has_settled(self) -> bool:
        if self._quiet_since is None:
            self._quiet_since = self._clock()
        if self._clock() - self._quiet_since < SETTLE:
            return False
        self._quiet_since = None
        return True
