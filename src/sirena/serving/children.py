"""The children of several workers' parent, and when they are started.

Rules, each with a test of like name:

- a child that ends is followed by another at once, but not within a second of its start;
- after each that ended before it was ready the pause doubles, to half a minute: what makes it fail may stand for hours.
"""

import socket
from dataclasses import dataclass, field
from typing import Final

from sirena.serving.totals import Totals

SOURCE: Final = 0
"""Number of the child that asks the source; workers follow from 1."""
LEAST_SECONDS: Final = 1.0
"""From a child's start to that of the next in its place, and until one that could not be started is tried again."""
MOST_SECONDS: Final = 30.0
"""The same, when many failed in a row."""


def name_of(number: int) -> str:
    """Return what the log calls a child of this number."""
    return "source" if number == SOURCE else f"worker {number}"


@dataclass(eq=False)
class Child:
    """A child that runs."""

    number: int
    pid: int
    channel: socket.socket
    began: float
    """When it was started, by `time.monotonic`."""
    told: Totals = field(default_factory=Totals)
    """What it counted, as it told last."""
    is_told_to_end: bool = False
    has_published: bool = False
    """As the one that asks the source."""


@dataclass
class ChildStarts:
    """Which children are to be started when, by number; times as `time.monotonic` tells them."""

    _due: dict[int, float] = field(default_factory=dict)
    _failed: dict[int, int] = field(default_factory=dict)
    """How many failed at their start in a row."""

    def plan(self, number: int, moment: float = 0.0) -> None:
        """Have a child started at a moment."""
        self._due[number] = moment

    def follow(self, number: int, began: float, *, was_ready: bool) -> tuple[int, float]:
        """Have another child started in place of one that ended.

        Args:
            number: of both.
            began: when the one that ended was started.
            was_ready: whether it came to do what it is for.

        Returns:
            How many failed at their start in a row, and seconds from the start of the last to that of the next.
        """
        failed = 0 if was_ready else self._failed.get(number, 0) + 1
        self._failed[number] = failed
        pause = min(LEAST_SECONDS * 2 ** min(max(failed - 1, 0), 10), MOST_SECONDS)
        self.plan(number, began + pause)
        return failed, pause

    def take_due(self, now: float) -> list[int]:
        """Return the children that are to be started now, each once."""
        due = [number for number, moment in self._due.items() if moment <= now]
        for number in due:
            del self._due[number]
        return due

    @property
    def next_moment(self) -> float | None:
        """When the next is to be started; None when there is none."""
        return min(self._due.values(), default=None)
