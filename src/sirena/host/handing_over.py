"""Handing files over to the account that a part runs under now, where another one owned them.

`SIRENA_ACCOUNT` or `SIRENA_SERVICE_ACCOUNT` may be set later, when another account has written already.
"""

import os
from pathlib import Path

from sirena.host.accounts import OsAccount


def own_whole(account: OsAccount, folder: Path) -> None:
    """Give a folder and all below it to an account, if the folder is there and another's; links are not followed.

    Every step goes by open folders and not by paths: who owned the folder could else lead root elsewhere meanwhile.
    The folder itself comes last, so that a hand-over that was interrupted is repeated. Only root can; otherwise
    everything is ours already.

    Raises:
        OSError: the file system refuses.
    """
    if os.getuid() != 0 or not other_owner(account, folder):
        return
    for _, folders, files, opened in os.fwalk(folder, topdown=False):
        for name in (*folders, *files):
            os.chown(name, account.uid, account.gid, dir_fd=opened, follow_symlinks=False)
    os.chown(folder, account.uid, account.gid, follow_symlinks=False)


def other_owner(account: OsAccount, folder: Path) -> bool:
    """Tell whether a folder is there and belongs to somebody else than an account."""
    return folder.is_dir() and folder.stat().st_uid != account.uid
