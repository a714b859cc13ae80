"""What a person typed (an isolate, a search, rules), kept in memory so that Reload and Back lose nothing.

No address, browser or disk holds it. Rules, each with a test of like name:

- each owner (session or person) has one input, and cannot see another's;
- the input is forgotten when the owner clears it, when it was not used for `IDLE_SECONDS`, and when the session ends.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final

from sirena.web.opened_files import IDLE_SECONDS

MOST_OWNERS: Final = 1_000
"""Most inputs that are kept; for a further one, the input used longest ago is dropped."""
LONGEST: Final = 16 * 1024
"""Most characters of one input; a longer input is answered but not kept."""


@dataclass
class _Typed:
    form: Mapping[str, str]
    last_use: float


class TypedIsolates:
    """The last input of each owner (a session or a person): an isolate, a search, or a draft of rules."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, longest: int = LONGEST) -> None:
        """Create the store; nothing is kept yet.

        Args:
            clock: seconds of a clock that never goes back.
            longest: most characters kept for one owner.
        """
        self._clock = clock
        self._longest = longest
        self._lock = Lock()
        self._entries: dict[str, _Typed] = {}

    def keep(self, owner: str, form: Mapping[str, str]) -> None:
        """Keep an owner's input in place of the one before; for an empty form, nothing is kept.

        Args:
            owner: session or person that typed.
            form: texts by name of the field.
        """
        filled_fields = {name: text for name, text in form.items() if text}
        with self._lock:
            self._entries.pop(owner, None)
            if not filled_fields or sum(map(len, (*filled_fields, *filled_fields.values()))) > self._longest:
                return
            while len(self._entries) >= MOST_OWNERS:
                del self._entries[next(iter(self._entries))]
            self._entries[owner] = _Typed(filled_fields, self._clock())

    def of(self, owner: str) -> Mapping[str, str]:
        """Return an owner's last input, and count that as a use of it; empty if nothing is kept."""
        self.forget_idle()
        with self._lock:
            entry = self._entries.pop(owner, None)
            if entry is None:
                return {}
            self._entries[owner] = _Typed(entry.form, self._clock())
            return entry.form

    def owners(self) -> frozenset[str]:
        """Return the owners for whom something is kept."""
        with self._lock:
            return frozenset(self._entries)

    def forget_owners(self, owners: Collection[str]) -> None:
        """Delete everything that some owners typed."""
        with self._lock:
            for owner in owners:
                self._entries.pop(owner, None)

    def forget_idle(self) -> None:
        """Delete what was typed and not used for `IDLE_SECONDS`."""
        oldest = self._clock() - IDLE_SECONDS
        with self._lock:
            for owner in [owner for owner, entry in self._entries.items() if entry.last_use < oldest]:
                del self._entries[owner]
