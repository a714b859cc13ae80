"""Uploads leave the disk the room that databases need."""

import shutil
from pathlib import Path

import pytest

from sirena.access.room import KEPT_FREE, NoRoomError, Room


def test_an_upload_that_fits_passes_and_one_that_does_not_is_refused(tmp_path: Path) -> None:
    """By what the request says of its length, else by the longest there may be."""
    free = shutil.disk_usage(tmp_path).free
    room = Room((tmp_path, tmp_path / "not-there"), longest=free)
    room.require("1024")
    for length in (str(free - KEPT_FREE + 2**30), "", "1e9"):
        with pytest.raises(NoRoomError, match="no room"):
            room.require(length)
