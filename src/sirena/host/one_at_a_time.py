"""What two programs must not do at the same time is done one after the other: whoever comes second waits."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def one_at_a_time(lock: Path, tell: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock while the block runs; it is the kernel's, so it ends with us, however we end.

    Args:
        lock: its file; its folder is there. What the block starts does not inherit it.
        tell: called before waiting for somebody else.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
