"""Writing a file so that whoever reads it, also after a crash, finds the whole former or the whole new content."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

EVERYBODY_READS: Final = 0o644
ONLY_OWNER_READS: Final = 0o600


def replace_whole(
    path: Path, content: bytes, *, mode: int = EVERYBODY_READS, own: Callable[[int], None] | None = None
) -> None:
    """Write a file whole or not at all; it is on disk when this returns.

    The content is written to a new file beside it, which is then renamed. If another account owns the folder, it cannot
    turn the content elsewhere by a symbolic link, nor read a file before it has its mode and owner.

    Args:
        path: path of the file, in an existing folder.
        content: content of the file.
        mode: rights of the file, whatever the umask.
        own: gives the open file, a descriptor, to another account; by default this process's account keeps it.

    Raises:
        OSError: the disk is full, or this account may not write into the folder or give the file away.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, ONLY_OWNER_READS)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            if own is not None:
                own(descriptor)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
