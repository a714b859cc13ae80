"""A lock for work that two programs must not do at the same time: the second waits for the first."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def one_at_a_time(lock: Path, tell: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock during a ``with`` block. The lock is the kernel's, so it ends with this process, however that ends.

    Args:
        lock: file of the lock, in an existing folder. Processes started in the block do not inherit the lock.
        tell: called before waiting for another process.
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
