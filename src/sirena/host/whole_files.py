"""Files that another program may be reading while they change: it finds what was there before or what is there now."""

import os
from pathlib import Path


def replace_whole(path: Path, content: bytes) -> None:
    """Write a file that everybody may read, whole or not at all.

    Writing into the file itself would leave it empty for a moment, and for good if we are killed in it.

    Args:
        path: where; its folder is there.
        content: what it shall hold.

    Raises:
        OSError: the disk is full, or the folder may not be written.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
