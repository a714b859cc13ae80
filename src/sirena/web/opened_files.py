"""The files open on the pages: in memory alone, a few at a time, and gone when nobody looks at them.

Rules, each with a test of like name:

- a file is found by an identifier nobody can guess;
- one that nobody looked at for `IDLE_SECONDS` is gone, and so is the oldest when there are too many.
"""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

from sirena.web.opened_file import OpenedFile

IDLE_SECONDS: Final = 30 * 60
"""How long a file stays when nobody looks at it."""
MOST_FILES: Final = 4


class OpenedFiles:
    """Files by identifier, the one looked at last at the end."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Hold nothing yet.

        Args:
            clock: seconds that never run backwards.
        """
        self._clock = clock
        self._lock = Lock()
        self._files: OrderedDict[str, tuple[OpenedFile, float]] = OrderedDict()

    def add(self, opened: OpenedFile) -> str:
        """Keep a file and return its identifier."""
        identifier = secrets.token_urlsafe(24)
        with self._lock:
            self._files[identifier] = (opened, self._clock())
            while len(self._files) > MOST_FILES:
                self._files.popitem(last=False)
        return identifier

    def get(self, identifier: str) -> OpenedFile | None:
        """Return a file, which counts as looking at it; None when it is not, or no longer, there."""
        self.forget_idle()
        with self._lock:
            if identifier not in self._files:
                return None
            opened, _ = self._files[identifier]
            self._files[identifier] = (opened, self._clock())
            self._files.move_to_end(identifier)
            return opened

    def all(self) -> list[tuple[str, OpenedFile]]:
        """Return identifier and file of each, the one looked at last first."""
        self.forget_idle()
        with self._lock:
            return [(identifier, opened) for identifier, (opened, _) in reversed(self._files.items())]

    def remove(self, identifier: str) -> None:
        """Forget a file now; one that is not there is no error."""
        with self._lock:
            self._files.pop(identifier, None)

    def forget_idle(self) -> None:
        """Forget every file that nobody looked at for `IDLE_SECONDS`."""
        with self._lock:
            oldest = self._clock() - IDLE_SECONDS
            for identifier in [name for name, (_, seen) in self._files.items() if seen < oldest]:
                del self._files[identifier]
