"""Opening folders without secrets to every account, for services that read them and write nothing there."""

from pathlib import Path
from typing import Final

_ENTER: Final = 0o555
_READ: Final = 0o444


def let_everyone_read(folder: Path) -> None:
    """Let every account read a folder and all below it, whatever the umask was; rights to write stay unchanged.

    Raises:
        OSError: the folder, or something in it, belongs to another account.
    """
    for path in (folder, *folder.rglob("*")):
        if path.is_symlink():
            continue
        mode = path.stat().st_mode & 0o7777
        new_mode = mode | (_ENTER if path.is_dir() else _READ)
        if new_mode != mode:
            path.chmod(new_mode)
