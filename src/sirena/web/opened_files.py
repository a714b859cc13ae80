"""The files open on the pages: in memory alone, a few at a time, and gone when nobody looks at them.

Rules, each with a test of like name:

- a file is found by an identifier nobody can guess, and by whoever opened it alone;
- one that nobody looked at for `IDLE_SECONDS` is gone, and so is an owner's oldest when the owner has too many;
- nobody's file makes room for another's: when all that are open hold `MOST_BYTES_IN_ALL`, no further one is taken;
- a session's files are gone when the session is.
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
"""How long a file stays when nobody looks at it."""
MOST_FILES: Final = 4
"""Files of one owner."""
MOST_BYTES: Final = 1024**3 // 2
"""Memory that one owner's files may hold, but for a single one."""
MOST_BYTES_IN_ALL: Final = 3 * 1024**3 // 2
"""Memory that all files may hold; while they are read the process needs some times as much."""


class NoRoomForFileError(SirenaError):
    """So many files are open that no further one fits into memory."""

    code = "no_room"
    status = 503


@dataclass
class _Held:
    opened: OpenedFile
    owner: str
    size: int
    seen: float


class OpenedFiles:
    """Files by identifier, the one looked at last at the end."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most_bytes: int = MOST_BYTES_IN_ALL) -> None:
        """Hold nothing yet.

        Args:
            clock: seconds that never run backwards.
            most_bytes: memory that all files may hold.
        """
        self._clock = clock
        self._most_bytes = most_bytes
        self._lock = Lock()
        self._files: OrderedDict[str, _Held] = OrderedDict()

    def add(self, opened: OpenedFile, owner: str = "") -> str:
        """Keep a file and return its identifier.

        Args:
            opened: the file.
            owner: who alone finds it.

        Raises:
            NoRoomError: there is no memory left for it.
        """
        identifier = secrets.token_urlsafe(24)
        held = _Held(opened, owner, opened.size, self._clock())
        self.forget_idle()
        with self._lock:
            own = [name for name, one in self._files.items() if one.owner == owner]
            size = held.size + sum(self._files[name].size for name in own)
            leaving = set()
            while own and (len(own) >= MOST_FILES or size > MOST_BYTES):
                size -= self._files[own[0]].size
                leaving.add(own.pop(0))
            if held.size + sum(one.size for name, one in self._files.items() if name not in leaving) > self._most_bytes:
                raise NoRoomForFileError("too many files are open", hint="Delete one, or try again later.")
            for name in leaving:
                del self._files[name]
            self._files[identifier] = held
        return identifier

    def replace(self, identifier: str, opened: OpenedFile, owner: str = "") -> None:
        """Keep another reading of an owner's file in the place of the one before; nothing where that is gone.

        Args:
            identifier: as `add` returned it.
            opened: the same rows, about as large.
            owner: whose it is.
        """
        with self._lock:
            held = self._files.get(identifier)
            if held is not None and held.owner == owner:
                held.opened, held.size, held.seen = opened, opened.size, self._clock()

    def get(self, identifier: str, owner: str = "") -> OpenedFile | None:
        """Return a file, which counts as looking at it; None when the owner has none, or none any longer, of the name.

        Args:
            identifier: as `add` returned it.
            owner: who asks.
        """
        self.forget_idle()
        with self._lock:
            held = self._files.get(identifier)
            if held is None or held.owner != owner:
                return None
            held.seen = self._clock()
            self._files.move_to_end(identifier)
            return held.opened

    def is_of_another(self, identifier: str, owner: str) -> bool:
        """Tell whether a file is open, and another's than the owner's."""
        with self._lock:
            return identifier in self._files and self._files[identifier].owner != owner

    def all(self, owner: str = "") -> list[tuple[str, OpenedFile]]:
        """Return identifier and file of each of an owner's, the one looked at last first."""
        self.forget_idle()
        with self._lock:
            return [(name, held.opened) for name, held in reversed(self._files.items()) if held.owner == owner]

    def owners(self) -> frozenset[str]:
        """Return who has a file open."""
        with self._lock:
            return frozenset(held.owner for held in self._files.values())

    def remove(self, identifier: str, owner: str = "") -> None:
        """Forget a file now; one that the owner does not have is no error."""
        self._forget(lambda name, held: name == identifier and held.owner == owner)

    def forget_owners(self, owners: Collection[str]) -> None:
        """Forget every file of some owners now."""
        self._forget(lambda _, held: held.owner in owners)

    def forget_idle(self) -> None:
        """Forget every file that nobody looked at for `IDLE_SECONDS`."""
        oldest = self._clock() - IDLE_SECONDS
        self._forget(lambda _, held: held.seen < oldest)

    def _forget(self, is_meant: Callable[[str, _Held], bool]) -> None:
        with self._lock:
            for name in [name for name, held in self._files.items() if is_meant(name, held)]:
                del self._files[name]
