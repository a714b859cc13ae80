"""Secrets, each generated once and kept in a file of mode 0600; never printed, never on a command line."""

import secrets
from pathlib import Path
from typing import Final

from sirena.host.accounts import OsAccount
from sirena.host.whole_files import ONLY_OWNER_READS, replace_whole

_BYTES: Final = 32


def generated_secret(path: Path, owner: OsAccount) -> str:
    """Return the secret in a file; the secret is generated if there is no such file."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(_BYTES), owner)
    return path.read_text(encoding="utf-8")


def write_private(path: Path, text: str, owner: OsAccount) -> None:
    """Write a file that only its owner can read, whole or not at all.

    Args:
        path: path of the file; its folder is made if needed.
        text: content of the file.
        owner: account that may read the file; only root can name an account other than its own.

    Raises:
        OSError: the disk is full, or this account may not write into the folder.
    """
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    replace_whole(path, text.encode(), mode=ONLY_OWNER_READS, own=owner.own)
