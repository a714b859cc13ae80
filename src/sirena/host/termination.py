"""Undoing unfinished work when a process is told to end."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ends_in_order() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C during a ``with`` block, so that unfinished work is undone.

    Python lets only the main thread change what a signal does; in any other thread SIGTERM stays as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
