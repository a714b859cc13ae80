"""The child processes of `sirena serve` with several workers, and the times at which the parent starts them.

Rules, each with a test of like name:

- a child that ends is replaced at once, but at the earliest one second after its own start;
- each time that it ended before it was ready, the pause doubles, up to half a minute: the cause may last for hours.
"""

import socket
from dataclasses import dataclass, field
from typing import Final

from sirena.serving.totals import Totals

SOURCE: Final = 0
"""Number of the child that reads the source of the panel; the workers are numbered from 1."""
LEAST_SECONDS: Final = 1.0
"""Least seconds between two starts of a child with the same number, failed attempts included."""
MOST_SECONDS: Final = 30.0
"""Seconds between two starts after many failures in a row."""


def name_of(number: int) -> str:
    """Return the name of a child in the log.

    >>> name_of(3), name_of(SOURCE)
    ('worker 3', 'source')
    """
    return "source" if number == SOURCE else f"worker {number}"


@dataclass(eq=False)
class Child:
    """A running child process."""

    number: int
    pid: int
    channel: socket.socket
    began: float
    """Time of its start, by `time.monotonic`."""
    counts: Totals = field(default_factory=Totals)
    """The counts that it reported last."""
    is_ending: bool = False
    has_published: bool = False
    """True once it has published a panel; only the child that reads the source does."""


@dataclass
class ChildStarts:
    """The planned starts of children by number, with their times by `time.monotonic`."""

    _start_times: dict[int, float] = field(default_factory=dict)
    _failed_starts: dict[int, int] = field(default_factory=dict)
    """Number of failed starts in a row, by child."""

    def plan(self, number: int, moment: float = 0.0) -> None:
        """Plan the start of a child at a time."""
        self._start_times[number] = moment

    def follow(self, number: int, began: float, *, was_ready: bool) -> tuple[int, float]:
        """Plan the start of the child that replaces one that ended.

        Args:
            number: number of the child, the same for both.
            began: time at which the ended child was started.
            was_ready: True if the ended child had become ready.

        Returns:
            Number of failed starts in a row, and seconds from the last start to the planned one.
        """
        failed_starts = 0 if was_ready else self._failed_starts.get(number, 0) + 1
        self._failed_starts[number] = failed_starts
        pause = min(LEAST_SECONDS * 2 ** min(max(failed_starts - 1, 0), 10), MOST_SECONDS)
        self.plan(number, began + pause)
        return failed_starts, pause

    def take_due(self, now: float) -> list[int]:
        """Return the numbers of the children to start now, and remove them from the plan."""
        numbers = [number for number, moment in self._start_times.items() if moment <= now]
        for number in numbers:
            del self._start_times[number]
        return numbers

    @property
    def next_moment(self) -> float | None:
        """Time of the next planned start; None if none is planned."""
        return min(self._start_times.values(), default=None)
