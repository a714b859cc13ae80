"""The files that are open on the pages: only in memory, a few at a time, and forgotten when nobody uses them.

Rules, each with a test of like name:

- a file is found by an identifier that nobody can guess, and only by the person who opened it;
- a file not used for `IDLE_SECONDS` is forgotten, and so is an owner's oldest file when the owner has too many;
- no file is dropped in favour of another owner's: when all files take `MOST_BYTES_IN_ALL`, no further file is opened;
- a session's files are forgotten when the session ends.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from threading import Lock
from typing import Final

from sirena.domain.errors import SirenaError
from sirena.web.opened_file import OpenedFile

IDLE_SECONDS: Final = 30 * 60
"""Seconds after its last use for which a file stays open."""
MOST_FILES: Final = 4
"""Most files of one owner."""
MOST_BYTES: Final = 1024**3 // 2
"""Most bytes of memory of one owner's files; a single file may take more."""
MOST_BYTES_IN_ALL: Final = 3 * 1024**3 // 2
"""Most bytes of memory of all files; while files are read, the process needs several times as much."""


class NoRoomForFileError(SirenaError):
    """A further file does not fit into memory together with the open files."""

    code = "no_room"
    status = 503


@dataclass
class _FileEntry:
    opened_file: OpenedFile
    owner: str
    size: int
    last_use: float


class OpenedFiles:
    """The open files, by identifier."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most_bytes: int = MOST_BYTES_IN_ALL) -> None:
        """Create the collection; no file is open yet.

        Args:
            clock: seconds of a clock that never goes back.
            most_bytes: maximum size in memory of all files, in bytes.
        """
        self._clock = clock
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._files: OrderedDict[str, _FileEntry] = OrderedDict()

    def add(self, opened_file: OpenedFile, owner: str = "") -> str:
        """Keep a file open, and return its identifier.

        Args:
            opened_file: the file.
            owner: session or person that alone can find the file.

        Raises:
            NoRoomForFileError: there is no memory left for the file.
        """
        identifier = secrets.token_urlsafe(24)
        entry = _FileEntry(opened_file, owner, opened_file.size, self._clock())
        self.forget_idle()
        with self._lock:
            own = [name for name, other_entry in self._files.items() if other_entry.owner == owner]
            size = entry.size + sum(self._files[name].size for name in own)
            names_to_close = set()
            while own and (len(own) >= MOST_FILES or size > MOST_BYTES):
                size -= self._files[own[0]].size
                names_to_close.add(own.pop(0))
            if (
                entry.size
                + sum(other_entry.size for name, other_entry in self._files.items() if name not in names_to_close)
                > self._most_bytes
            ):
                raise NoRoomForFileError("too many files are open", hint="Delete one, or try again later.")
            for name in names_to_close:
                del self._files[name]
            self._files[identifier] = entry
        return identifier

    def replace(self, identifier: str, opened_file: OpenedFile, owner: str = "") -> None:
        """Replace an owner's file by another reading of it; nothing happens if the file is not open any more.

        Args:
            identifier: the file's identifier, from `add`.
            opened_file: the new reading, with the same rows.
            owner: owner of the file.
        """
        with self._lock:
            entry = self._files.get(identifier)
            if entry is not None and entry.owner == owner:
                entry.opened_file, entry.size, entry.last_use = opened_file, opened_file.size, self._clock()

    def get(self, identifier: str, owner: str = "") -> OpenedFile | None:
        """Return an open file, and count that as a use of it; None if the owner has no file of this identifier.

        Args:
            identifier: the file's identifier, from `add`.
            owner: owner of the file.
        """
        self.forget_idle()
        with self._lock:
            entry = self._files.get(identifier)
            if entry is None or entry.owner != owner:
                return None
            entry.last_use = self._clock()
            self._files.move_to_end(identifier)
            return entry.opened_file

    def is_of_another(self, identifier: str, owner: str) -> bool:
        """Tell whether a file with this identifier is open that belongs to another owner."""
        with self._lock:
            return identifier in self._files and self._files[identifier].owner != owner

    def all(self, owner: str = "") -> list[tuple[str, OpenedFile]]:
        """Return identifier and file of all files of an owner, the last used first."""
        self.forget_idle()
        with self._lock:
            return [(name, entry.opened_file) for name, entry in reversed(self._files.items()) if entry.owner == owner]

    def owners(self) -> frozenset[str]:
        """Return the owners of open files."""
        with self._lock:
            return frozenset(entry.owner for entry in self._files.values())

    def remove(self, identifier: str, owner: str = "") -> None:
        """Forget a file of an owner; nothing happens if the owner has no such file."""
        self._forget(lambda name, entry: name == identifier and entry.owner == owner)

    def forget_owners(self, owners: Collection[str]) -> None:
        """Close all files that some owners opened."""
        self._forget(lambda _, entry: entry.owner in owners)

    def forget_idle(self) -> None:
        """Close all files that were not used for `IDLE_SECONDS`."""
        oldest = self._clock() - IDLE_SECONDS
        self._forget(lambda _, entry: entry.last_use < oldest)

    def _forget(self, is_chosen: Callable[[str, _FileEntry], bool]) -> None:
        with self._lock:
            for name in [name for name, entry in self._files.items() if is_chosen(name, entry)]:
                del self._files[name]
