"""A lock for work that two programs must not do at the same time; why it is the kernel's own is told in ADR 41."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def _open_private(lock: Path, flags: int) -> int:
    return os.open(lock, flags | os.O_CREAT, 0o600)


@contextmanager
def one_at_a_time(
    lock: Path, tell: Callable[[], None] = lambda: None, opener: Callable[[Path, int], int] = _open_private
) -> Iterator[int]:
    """Hold a lock during a ``with`` block. The lock is the kernel's, so it ends with this process, however that ends.

    Args:
        lock: file of the lock, in an existing folder.
        tell: called if another process holds the lock, before waiting for it; what it raises is raised instead.
        opener: opens the file, given it and flags, as for `open`; by default the file is made with mode 0600.

    Yields:
        The lock's descriptor. Processes started in the block do not inherit the lock unless it is made inheritable.
    """
    descriptor = opener(lock, os.O_RDWR)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
