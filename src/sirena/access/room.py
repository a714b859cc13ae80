"""Refusing uploads before the disk is full: MLflow keeps each artifact on disk until the object store has all of it."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sirena.access.errors import ForbiddenError

_MIB: Final = 2**20
KEPT_FREE: Final = 2 * 2**30
"""Bytes of disk that uploads must leave free, for databases and logs."""


class NoRoomError(ForbiddenError):
    """The disk has not enough space for an upload."""

    code = "no_room"


@dataclass(frozen=True)
class Room:
    """The disks on which uploads are kept until they are in the object store."""

    folders: tuple[Path, ...]
    """One folder on each disk."""
    longest: int
    """Bytes assumed for a request that does not say its length."""

    def require(self, length: str) -> None:
        """Check that the disks have space for a request's body, or raise `NoRoomError`.

        Args:
            length: value of the request's length header; empty if it has none.

        Raises:
            NoRoomError: a disk has not enough space.
        """
        body_length = int(length) if length.isdecimal() else self.longest
        free = min(_free(self.folders), default=body_length + KEPT_FREE)
        if body_length + KEPT_FREE > free:
            raise NoRoomError(
                f"this server's disk has no room for {body_length / _MIB:.0f} MiB more",
                hint="whoever runs it makes room: `sirena status` tells of the disk, `sirena gc` what nothing needs",
            )


def _free(folders: Iterable[Path]) -> Iterable[int]:
    for folder in folders:
        if folder.exists():
            yield shutil.disk_usage(folder).free
