"""A lock by which backup, restore, drill and collection (`sirena gc`) of one `SIRENA_HOME` exclude each other.

The lock is the kernel's, so it ends with the process that holds it. Programs started meanwhile inherit it
(`tools.run_tool`): if a restic process lives on after its parent was killed, the next backup still waits.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sirena.server.backup.errors import BackupRunningError
from sirena.server.backup.places import places_of
from sirena.settings.catalogue import Settings


@contextmanager
def exclusive(settings: Settings, activity: str) -> Iterator[None]:
    """Lock this `SIRENA_HOME` against other backups, restores, drills and collections during a ``with`` block.

    Args:
        settings: settings of the installation.
        activity: name shown to other processes that find the lock held.

    Raises:
        BackupRunningError: another activity holds the lock.
    """
    places = places_of(settings)
    places.open()
    descriptor = os.open(places.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode("utf-8", "replace") or "another"
            raise BackupRunningError(
                f"not begun: {holder} is under way", hint="wait until it has ended, and repeat the command"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"a {activity} (process {os.getpid()})".encode())
        os.set_inheritable(descriptor, True)
        yield
    finally:
        os.close(descriptor)
