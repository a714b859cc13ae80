"""The files of releases that are kept on this machine, named by their SHA-256."""

import hashlib
from pathlib import Path
from typing import Final

PANELS: Final = "panels"
"""Their folder, below `SIRENA_HOME`."""


def kept_panel_file(home: Path, digest: str) -> Path:
    """Return where the file of a release lies, or would lie.

    >>> kept_panel_file(Path("/var/lib/sirena"), "ab12").as_posix()
    '/var/lib/sirena/panels/ab12.json'
    """
    return home / PANELS / f"{digest}.json"


def read_kept_panel(home: Path, digest: str) -> bytes | None:
    """Return the file of a release; None when it is not kept, or is not what its name says."""
    try:
        content = kept_panel_file(home, digest).read_bytes()
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == digest else None
