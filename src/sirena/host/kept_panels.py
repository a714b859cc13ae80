"""Copies of the files of releases on this machine, each named by its SHA-256."""

import hashlib
from pathlib import Path
from typing import Final

PANELS: Final = "panels"
"""Name of the folder of these copies, below `SIRENA_HOME`."""


def kept_panel_file(home: Path, digest: str) -> Path:
    """Return the path at which the copy of a release's file is kept, by the file's digest; the copy may not exist.

    >>> kept_panel_file(Path("/var/lib/sirena"), "ab12").as_posix()
    '/var/lib/sirena/panels/ab12.json'
    """
    return home / PANELS / f"{digest}.json"


def read_kept_panel(home: Path, digest: str) -> bytes | None:
    """Return the copy of a release's file, by digest; None if there is no copy, or its content has another digest."""
    try:
        content = kept_panel_file(home, digest).read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == digest else None
