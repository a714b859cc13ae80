"""Giving the files of a part to the account under which the part runs now, if another account owned them.

This is needed when `SIRENA_ACCOUNT` or `SIRENA_SERVICE_ACCOUNT` is changed after the first start.
"""

import os
from pathlib import Path

from sirena.host.accounts import OsAccount


def own_whole(account: OsAccount, folder: Path) -> None:
    """Give a folder and all below it to an account, if another account owns it; links are not followed.

    Every step uses open folders and not paths: by changing a path, the former owner could lead root elsewhere. The
    folder itself comes last, so that an interrupted hand-over is repeated. Only root can do this; without root, nothing
    is done.

    Raises:
        OSError: the file system refuses.
    """
    if os.getuid() != 0 or not other_owner(account, folder):
        return
    for _, folders, files, descriptor in os.fwalk(folder, topdown=False):
        for name in (*folders, *files):
            os.chown(name, account.uid, account.gid, dir_fd=descriptor, follow_symlinks=False)
    os.chown(folder, account.uid, account.gid, follow_symlinks=False)


def other_owner(account: OsAccount, folder: Path) -> bool:
    """Tell whether a folder exists and belongs to another account than the given one."""
    return folder.is_dir() and folder.stat().st_uid != account.uid
