"""Secrets: generated at first start, one file each, mode 0600, never printed and never on a command line."""

import os
import secrets
import threading
from pathlib import Path
from typing import Final

from sirena.host.accounts import OsAccount

_BYTES: Final = 32


def generated_secret(path: Path, owner: OsAccount) -> str:
    """Return the secret kept in a file; the first call generates it."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(_BYTES), owner)
    return path.read_text(encoding="utf-8")


def write_private(path: Path, text: str, owner: OsAccount) -> None:
    """Write a file that only its owner can read, whole or not at all.

    Args:
        path: where; its folder is made if need be.
        text: what it shall say.
        owner: account that may read it; another than ours only when we are root.

    Raises:
        OSError: the disk is full, or the folder may not be written.
    """
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    owner.own(beside)
    beside.replace(path)
