"""Ending a command: what it has begun is undone, and its interpreter is not taken down piece by piece."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


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


def end_at_once(code: int) -> NoReturn:
    """End the process as an interpreter does, but leave its memory to the kernel: MLflow's takes a second to free.

    While a thread still works that an interpreter waits for, or when a stream cannot take what was printed, the
    interpreter ends as usual.
    """
    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.exit(code)
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(code)
    os._exit(code)
