"""Keeping floods of refusals from filling the ledger, without losing how many there were.

A source is one address, account and cause. Within a minute its first refusals are told one by one; the rest are
counted, and told as one entry with their number when the minute ends. Beyond `SOURCES` sources at a time, new ones are
told together as `CROWD`, so that many addresses cannot do what one may not.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

WINDOW: Final = 60.0
"""Seconds."""
SOURCES: Final = 200
CROWD: Final = "many addresses"
_LISTED: Final = 100
"""Things told apart in a window at most, which bounds its memory."""


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
    told: list[str] = field(default_factory=list)
    held: int = 0
    since: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    """Of the last that was held."""


@dataclass(frozen=True)
class Held:
    """Refusals of one source that were counted and are to be told now."""

    source: RefusedSource
    last: Mapping[str, Any]
    """Facts of the last of them."""
    times: int
    since: str
    """When the first of them came, UTC, ISO 8601."""

    @property
    def facts(self) -> dict[str, Any]:
        """What the one entry says that tells of all of them."""
        return {**self.last, "origin": self.source.address, "times": self.times, "since": self.since}


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

    def admits(self, source: RefusedSource, what: str, facts: Mapping[str, Any]) -> bool:
        """Tell whether a refusal is told at once; else it is counted.

        Args:
            source: who is refused, and why.
            what: what was refused; the same again within a window is counted. Empty is never the same again.
            facts: told with the count, if it is the last one counted.
        """
        if source not in self._windows and len(self._windows) >= SOURCES:
            source = RefusedSource(source.event, CROWD, "", source.cause)
        window = self._windows.setdefault(source, _Window(self._clock()))
        room = source.address != CROWD and len(window.told) < self._singly
        if room and (not what or what not in window.told):
            window.told.append(what)
            return True
        if not window.held:
            came = datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")
            window.since = str(facts.get("since") or came)
        window.held += 1
        window.facts = dict(facts)
        return False

    def due(self, *, everything: bool = False) -> list[Held]:
        """Return what windows that ended have counted, and close the windows that counted nothing.

        Args:
            everything: also what windows that have not ended yet have counted, before the process ends.
        """
        now = self._clock()
        found = []
        for source, window in list(self._windows.items()):
            if not everything and now - window.began < WINDOW:
                continue
            if window.held:
                found.append(Held(source, window.facts, window.held, window.since))
                # the flood may go on: what follows is counted again, not told one by one
                self._windows[source] = _Window(now, told=window.told)
            else:
                del self._windows[source]
        return found

    def kept(self) -> list[dict[str, Any]]:
        """Return all windows in plain types, to be put back after a restart."""
        return [{"source": asdict(source), "window": asdict(window)} for source, window in self._windows.items()]

    def put_back(self, kept: list[dict[str, Any]]) -> None:
        """Take up the windows of an earlier process."""
        self._windows = {RefusedSource(**one["source"]): _Window(**one["window"]) for one in kept}
