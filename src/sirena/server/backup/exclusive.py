"""A lock by which backup, restore, drill and collection (`sirena gc`) of one `SIRENA_HOME` exclude each other.

The lock is the kernel's, so it ends with the process that holds it. Programs started meanwhile inherit it
(`tools.run_tool`): if a restic process lives on after its parent was killed, the next backup still waits.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Never

from sirena.host.one_at_a_time import one_at_a_time
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

    def refuse() -> Never:
        holder = places.lock.read_text("utf-8", "replace") or "another"
        raise BackupRunningError(
            f"not begun: {holder} is under way", hint="wait until it has ended, and repeat the command"
        ) from None

    places.open()
    with one_at_a_time(places.lock, refuse) as descriptor:
        places.lock.write_text(f"a {activity} (process {os.getpid()})")
        os.set_inheritable(descriptor, True)
        yield
