"""Refusing uploads before the disk is full: MLflow keeps each artifact here until the object store has it whole."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sirena.access.errors import ForbiddenError

_MIB: Final = 2**20
KEPT_FREE: Final = 2 * 2**30
"""Bytes that no upload may take: databases and logs need them."""


class NoRoomError(ForbiddenError):
    """The disk has no room for what is sent."""

    code = "no_room"


@dataclass(frozen=True)
class Room:
    """The disks on which an upload lies for a while."""

    folders: tuple[Path, ...]
    """One on each."""
    longest: int
    """Bytes that are counted where a request does not say how many it sends."""

    def require(self, length: str) -> None:
        """Pass silently when there is room.

        Args:
            length: what the request says of its length; empty when it says nothing.

        Raises:
            NoRoomError: there is none.
        """
        wanted = int(length) if length.isdecimal() else self.longest
        free = min(_free(self.folders), default=wanted + KEPT_FREE)
        if wanted + KEPT_FREE > free:
            raise NoRoomError(
                f"this server's disk has no room for {wanted / _MIB:.0f} MiB more",
                hint="whoever runs it makes room: `sirena status` tells of the disk, `sirena gc` what nothing needs",
            )


def _free(folders: Iterable[Path]) -> Iterable[int]:
    for folder in folders:
        if folder.exists():
            yield shutil.disk_usage(folder).free
