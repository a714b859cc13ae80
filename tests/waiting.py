"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable


def wait_until(is_so: Callable[[], bool], *, seconds: float = 60.0, pause: float = 0.02) -> None:
    """Ask again and again until a condition is true; fail when the time is over.

    Args:
        is_so: the condition.
        seconds: patience, for a slow machine.
        pause: seconds between two questions.
    """
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(pause)
