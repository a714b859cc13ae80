"""Replacing files that another program may be reading: that program finds the whole former or the whole new content."""

import os
from pathlib import Path


def replace_whole(path: Path, content: bytes) -> None:
    """Write a file that everybody may read, whole or not at all.

    The content is written to a temporary file, which is renamed; otherwise the file would be empty for a moment, or for
    good after a crash.

    Args:
        path: path of the file, in an existing folder.
        content: content of the file.

    Raises:
        OSError: the disk is full, or this account may not write into the folder.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
