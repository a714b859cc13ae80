"""Ending a command: undoing what it began, and ending the process quickly."""

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
    """Treat SIGTERM like Ctrl-C during the block, so that it undoes what is under way."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def end_at_once(code: int) -> NoReturn:
    """End the process like an interpreter, but without freeing its memory, which takes a second after loading MLflow.

    If a non-daemon thread still runs, or the printed output cannot be written, the interpreter ends the process as
    usual.
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
