"""Counting floods of refusals, so that they do not fill the ledger and their number is not lost.

A source is one address, account and cause. In each minute the first refusals of a source are recorded one by one; the
rest are counted, and recorded as one entry with their number when the minute ends. When `SOURCES` sources are counted
already, further ones are counted together as `CROWD`, so that a flood from many addresses does not fill the ledger
either.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from sirena.ledger.catalogue import AccessRefused, LoginFailed

WINDOW: Final = 60.0
"""Seconds."""
SOURCES: Final = 200
CROWD: Final = "many addresses"
_LISTED: Final = 100
"""Most different refusals that a window remembers, so that its memory is limited."""
RefusalEvent = AccessRefused | LoginFailed
"""Events of refusals, of which any client can cause any number."""
_KINDS: Final[Mapping[str, type[RefusalEvent]]] = {kind.event: kind for kind in (AccessRefused, LoginFailed)}
_NOT_KEPT: Final = frozenset({"at", "outcome", "failure"})
"""Fields of a refusal that are not kept: they are the same for all, or say when it was recorded."""


@dataclass(frozen=True)
class RefusedSource:
    """The source of refusals that are counted together: one kind, address, account and cause."""

    event: str
    address: str
    who: str
    cause: str


@dataclass
class _Window:
    began: float
    subjects: list[str] = field(default_factory=list)
    """Methods and routes whose refusal was recorded by itself."""
    count: int = 0
    since: str = ""
    last: RefusalEvent | None = None
    """The last refusal that was counted."""


@dataclass(frozen=True)
class RefusalCount:
    """Refusals of one source that were counted and are to be recorded now."""

    source: RefusedSource
    last: RefusalEvent
    times: int
    since: str
    """When the first of the refusals came, UTC, ISO 8601."""

    @property
    def event(self) -> RefusalEvent:
        """The one event that is recorded for all refusals of this count."""
        return replace(self.last, origin=self.source.address, times=self.times, since=self.since)


class RefusalCounter:
    """Decides which refusals are recorded at once and which are only counted; used by one thread at a time."""

    def __init__(self, singly: int, clock: Callable[[], float] = time.time) -> None:
        """Create the counter of floods; nothing is counted yet.

        Args:
            singly: how many different refusals of a source are recorded one by one within a window.
            clock: seconds since 1970.
        """
        self._singly = min(singly, _LISTED)
        self._clock = clock
        self._windows: dict[RefusedSource, _Window] = {}

    def admits(self, refusal: RefusalEvent, subject: str = "") -> bool:
        """Return True if a refusal is to be recorded at once; else count it.

        Args:
            refusal: the refusal; of those counted, the last one is recorded, with the count.
            subject: what was refused. The same subject again within a window is only counted; empty subjects are all
                different.
        """
        source = RefusedSource(refusal.event, refusal.origin, refusal.who, refusal.cause)
        if source not in self._windows and len(self._windows) >= SOURCES:
            source = RefusedSource(source.event, CROWD, "", source.cause)
        window = self._windows.setdefault(source, _Window(self._clock()))
        room = source.address != CROWD and len(window.subjects) < self._singly
        if room and (not subject or subject not in window.subjects):
            window.subjects.append(subject)
            return True
        if not window.count:
            came = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")
            window.since = refusal.since or came
        window.count += 1
        window.last = refusal
        return False

    def due(self, *, everything: bool = False) -> list[RefusalCount]:
        """Return the counts of the windows that have ended, and forget the windows that counted nothing.

        Args:
            everything: True to return the counts of unfinished windows too, because the process ends.
        """
        now = self._clock()
        counts = []
        for source, window in list(self._windows.items()):
            if not everything and now - window.began < WINDOW:
                continue
            if window.last is not None:
                counts.append(RefusalCount(source, window.last, window.count, window.since))
                # the flood may go on: what follows is counted again, not told one by one
                self._windows[source] = _Window(now, subjects=window.subjects)
            else:
                del self._windows[source]
        return counts

    def open_windows(self) -> list[dict[str, Any]]:
        """Return all windows in plain types, to be kept in a file and given to `put_back` after a restart."""
        return [
            {
                "source": asdict(source),
                "window": {
                    "began": window.began,
                    "told": window.subjects,
                    "held": window.count,
                    "since": window.since,
                    "facts": {} if window.last is None else plain_refusal(window.last),
                },
            }
            for source, window in self._windows.items()
        ]

    def put_back(self, counts: list[dict[str, Any]]) -> None:
        """Continue the windows of an earlier process, as `open_windows` returned them."""
        self._windows = {}
        for state in counts:
            source, window = RefusedSource(**state["source"]), state["window"]
            last = read_refusal(source.event, window["facts"]) if window["facts"] else None
            self._windows[source] = _Window(window["began"], window["told"], window["held"], window["since"], last)


def plain_refusal(refusal: RefusalEvent) -> dict[str, Any]:
    """Return a refusal in plain types, to be kept in a file; `read_refusal` reads it."""
    return {name: value for name, value in asdict(refusal).items() if name not in _NOT_KEPT}


def read_refusal(event: str, facts: Mapping[str, Any]) -> RefusalEvent:
    """Return the refusal that `plain_refusal` converted to these facts.

    Raises:
        KeyError: no kind of refusal has this name.
        TypeError: this kind of refusal has other facts.
    """
    return _KINDS[event](**facts)
