"""What somebody typed, of one isolate or of rules: kept in memory, so that Reload and Back lose nothing.

It is neither in an address nor in the browser nor on a disk. Rules, each with a test of like name:

- each owner has one isolate, and sees nobody else's;
- it is gone when the owner clears it, when nobody looked at it for `IDLE_SECONDS`, and when the session is.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final

from sirena.web.opened_files import IDLE_SECONDS

MOST_OWNERS: Final = 1_000
"""So many isolates are kept; the one seen longest ago makes room."""
LONGEST: Final = 16 * 1024
"""Characters of one isolate; a longer one is answered and not kept."""


@dataclass
class _Typed:
    form: Mapping[str, str]
    seen: float


class TypedIsolates:
    """The isolate of each owner, or what each writes elsewhere."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, longest: int = LONGEST) -> None:
        """Keep nothing yet.

        Args:
            clock: seconds that never run backwards.
            longest: characters of what is kept for one owner.
        """
        self._clock = clock
        self._longest = longest
        self._lock = Lock()
        self._typed: dict[str, _Typed] = {}

    def keep(self, owner: str, form: Mapping[str, str]) -> None:
        """Keep what an owner typed, in the place of what was kept; an empty form is kept as nothing.

        Args:
            owner: who typed.
            form: by name of the field.
        """
        filled = {name: text for name, text in form.items() if text}
        with self._lock:
            self._typed.pop(owner, None)
            if not filled or sum(map(len, (*filled, *filled.values()))) > self._longest:
                return
            while len(self._typed) >= MOST_OWNERS:
                del self._typed[next(iter(self._typed))]
            self._typed[owner] = _Typed(filled, self._clock())

    def of(self, owner: str) -> Mapping[str, str]:
        """Return what an owner typed, which counts as looking at it; empty when nothing is kept."""
        self.forget_idle()
        with self._lock:
            typed = self._typed.pop(owner, None)
            if typed is None:
                return {}
            self._typed[owner] = _Typed(typed.form, self._clock())
            return typed.form

    def owners(self) -> frozenset[str]:
        """Return who has an isolate."""
        with self._lock:
            return frozenset(self._typed)

    def forget_owners(self, owners: Collection[str]) -> None:
        """Forget the isolates of some owners now."""
        with self._lock:
            for owner in owners:
                self._typed.pop(owner, None)

    def forget_idle(self) -> None:
        """Forget every isolate that nobody looked at for `IDLE_SECONDS`."""
        oldest = self._clock() - IDLE_SECONDS
        with self._lock:
            for owner in [owner for owner, typed in self._typed.items() if typed.seen < oldest]:
                del self._typed[owner]
