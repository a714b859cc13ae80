"""Checking that Sirena's own object store has space for the objects of a drill or a restore before they are sent.

Writes to a full Ceph store wait without end, those of the running system too, so neither may fill it.
"""

import time
from collections.abc import Mapping
from enum import Enum
from math import ceil
from typing import Final

from sirena.host.accounts import PreparationError
from sirena.server.backup.errors import BackupError
from sirena.server.backup.manifest import FileFacts
from sirena.server.object_store.store_file import StoreFile
from sirena.server.object_store.store_room import CRITICAL, StoreRoom, ask_room
from sirena.settings.catalogue import Settings

_GIB: Final = 2**30
_PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.5
_ALLOCATED: Final = 4096
"""Bytes of a block; Ceph stores an object in whole blocks."""


class Purpose(Enum):
    """The reason for sending objects to the object store, and how full the store may become."""

    DRILL = ("a drill", CRITICAL)
    RESTORE = ("a restore", 0.90)

    def __init__(self, word: str, share: float) -> None:
        self.word = word
        self.share = share


def _await_room(settings: Settings) -> StoreRoom:
    """Ask the store how full it is, for up to a minute: a store that was just started does not know yet."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return ask_room(settings)
        except PreparationError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_POLL_SECONDS)


def require_room(settings: Settings, objects: Mapping[str, FileFacts], purpose: Purpose) -> None:
    """Check that the store has space for further objects, or raise `BackupError`; an external endpoint is not checked.

    Raises:
        BackupError: the objects would fill the store.
        PreparationError: the store does not report how full it is.
    """
    if settings.s3_endpoint_url:
        return
    room = _await_room(settings)
    bytes_needed = sum(-(-facts.size // _ALLOCATED) * _ALLOCATED for facts in objects.values())
    if room.used + bytes_needed <= purpose.share * room.total:
        return
    size = ceil((room.used + bytes_needed) / purpose.share / _GIB)
    file = StoreFile(settings)
    bytes_lacking = file.still_to_take + size * _GIB - room.total - file.free
    first = f"give the disk {ceil(bytes_lacking / _GIB)} GiB more, " if bytes_lacking > 0 else ""
    raise BackupError(
        f"{purpose.word} puts {bytes_needed / _GIB:.1f} GiB of objects into the object store, which has "
        f"{room.used / _GIB:.1f} of {room.total / _GIB:.1f} GiB in use and no room for them",
        hint=f"{first}set SIRENA_S3_SIZE_GB={size} or more and `sirena up`; or remove what nothing needs (`sirena gc`)",
    )
