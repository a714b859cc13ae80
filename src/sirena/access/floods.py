"""Keeping floods of refusals from filling the ledger, without losing how many there were.

A source is one address, account and cause. Within a minute its first refusals are told one by one; the rest are
counted, and told as one entry with their number when the minute ends. Beyond `SOURCES` sources at a time, new ones are
told together as `CROWD`, so that many addresses cannot do what one may not.
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
"""Things told apart in a window at most, which bounds its memory."""
RefusalEvent = AccessRefused | LoginFailed
"""Events that whoever asks can cause without end."""
_KINDS: Final[Mapping[str, type[RefusalEvent]]] = {kind.event: kind for kind in (AccessRefused, LoginFailed)}
_NOT_KEPT: Final = frozenset({"at", "outcome", "failure"})
"""Fields of a refusal that are the same for all, or say when it was recorded."""


@dataclass(frozen=True)
class RefusedSource:
    """Who is refused, and why."""

    event: str
    address: str
    who: str
    cause: str


@dataclass
class _Window:
    began: float
    subjects: list[str] = field(default_factory=list)
    """What was told one by one."""
    held: int = 0
    since: str = ""
    last: RefusalEvent | None = None
    """The last that was held."""


@dataclass(frozen=True)
class RefusalCount:
    """Refusals of one source that were counted and are to be told now."""

    source: RefusedSource
    last: RefusalEvent
    times: int
    since: str
    """When the first of them came, UTC, ISO 8601."""

    @property
    def event(self) -> RefusalEvent:
        """The one entry that tells of all of them."""
        return replace(self.last, origin=self.source.address, times=self.times, since=self.since)


class Floods:
    """Says which refusals are told at once and which are counted; used in one thread at a time."""

    def __init__(self, singly: int, clock: Callable[[], float] = time.time) -> None:
        """Begin without any window.

        Args:
            singly: how many different ones of a source are told one by one within a window.
            clock: seconds since 1970.
        """
        self._singly = min(singly, _LISTED)
        self._clock = clock
        self._windows: dict[RefusedSource, _Window] = {}

    def admits(self, refusal: RefusalEvent, subject: str = "") -> bool:
        """Tell whether a refusal is told at once; else it is counted.

        Args:
            refusal: it is told with the count, if it is the last one counted.
            subject: what was refused; the same again within a window is counted. Empty is never the same again.
        """
        source = RefusedSource(refusal.event, refusal.origin, refusal.who, refusal.cause)
        if source not in self._windows and len(self._windows) >= SOURCES:
            source = RefusedSource(source.event, CROWD, "", source.cause)
        window = self._windows.setdefault(source, _Window(self._clock()))
        room = source.address != CROWD and len(window.subjects) < self._singly
        if room and (not subject or subject not in window.subjects):
            window.subjects.append(subject)
            return True
        if not window.held:
            came = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")
            window.since = refusal.since or came
        window.held += 1
        window.last = refusal
        return False

    def due(self, *, everything: bool = False) -> list[RefusalCount]:
        """Return what windows that ended have counted, and close the windows that counted nothing.

        Args:
            everything: also what windows that have not ended yet have counted, before the process ends.
        """
        now = self._clock()
        counts = []
        for source, window in list(self._windows.items()):
            if not everything and now - window.began < WINDOW:
                continue
            if window.last is not None:
                counts.append(RefusalCount(source, window.last, window.held, window.since))
                # the flood may go on: what follows is counted again, not told one by one
                self._windows[source] = _Window(now, subjects=window.subjects)
            else:
                del self._windows[source]
        return counts

    def kept(self) -> list[dict[str, Any]]:
        """Return all windows in plain types, to be put back after a restart."""
        return [
            {
                "source": asdict(source),
                "window": {
                    "began": window.began,
                    "told": window.subjects,
                    "held": window.held,
                    "since": window.since,
                    "facts": {} if window.last is None else plain_refusal(window.last),
                },
            }
            for source, window in self._windows.items()
        ]

    def put_back(self, kept: list[dict[str, Any]]) -> None:
        """Take up the windows of an earlier process."""
        self._windows = {}
        for state in kept:
            source, window = RefusedSource(**state["source"]), state["window"]
            last = read_refusal(source.event, window["facts"]) if window["facts"] else None
            self._windows[source] = _Window(window["began"], window["told"], window["held"], window["since"], last)


def plain_refusal(refusal: RefusalEvent) -> dict[str, Any]:
    """Return a refusal in plain types, for a file that outlives the process; `read_refusal` reads it."""
    return {name: value for name, value in asdict(refusal).items() if name not in _NOT_KEPT}


def read_refusal(event: str, facts: Mapping[str, Any]) -> RefusalEvent:
    """Return the refusal of which `plain_refusal` made these facts.

    Raises:
        KeyError: no refusal has this name.
        TypeError: it has other facts.
    """
    return _KINDS[event](**facts)
