"""Ending a command that has begun something which has to be undone."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ends_in_order() -> Iterator[None]:
    """Let SIGTERM undo what is under way, as Ctrl-C does."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
