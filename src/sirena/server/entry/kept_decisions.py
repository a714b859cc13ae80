"""Which yes of the access service NGINX keeps for a moment, so that a busy program's every request asks nobody.

Rules, each with a test of like name in `tests/integration/server/test_kept_decisions.py`:

- only a request for answers that shows a token is kept a yes; one with a header that the access service refuses, or
  that browsers send, is asked about each time, and so is every other route;
- a refusal is never kept, whatever number of tokens somebody tries;
- a yes holds for one connection, method, target and token: another is asked about;
- it ends with the second of the connection's life in which it was asked for, which no change of the clock makes longer.
  Who somebody is was read one second before at most (`sirena.access.authentication.FRESH_SECONDS`), so whoever loses a
  right is refused within two seconds;
- a yes that is not said to depend on the token (``Vary: Authorization``) is not kept;
- no credential stands in a file: NGINX keeps of a header that ``Vary`` names a hash alone, from which nobody guesses
  the 256 random bits of a token. So it is no way to keep passwords;
- a full disk hinders nobody: NGINX ends the connection of a request whose yes it cannot write down, so its files lie in
  memory. Where no folder of the machine's memory lasts, each request is asked about;
- its folder in memory has another name each time it is made, so that no account of the machine can take it before;
- NGINX starts after the machine did, when its memory is empty.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sirena.host.accounts import PreparationError

SINCE: Final = (1, 19, 10)
"""NGINX that knows how long a connection has been open; an earlier one asks about each request."""
KEPT_REQUEST: Final = (
    r"^POST:/(invocations|models/[A-Za-z0-9_.-]+/invocations|v2/models/[A-Za-z0-9_.-]+/infer)"
    r"([?]ground=(none|short|full))?:Bearer sir_[A-Za-z0-9_-]+:$"
)
"""Method, target, ``Authorization`` and the values of `ASKED_ABOUT` of requests that are kept a yes. NGINX writes the
target into a file: so it has no query but this one."""
ASKED_ABOUT: Final = (
    *("x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url"),
    *("x-sirena-user", "x-sirena-role", "x-sirena-roles", "x-sirena-session", "x-sirena-places"),
    *("cookie", "origin", "sec-fetch-site", "x-sirena-csrf"),
)
"""Headers for whose sake a request is asked about: tricks, the entry's own, and what only browsers send."""
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - names there are made by `mkdtemp`
_MOUNTS: Final = Path("/proc/self/mounts")
_SESSIONS: Final = Path("/run/systemd/seats")
"""There where systemd-logind runs, which removes what an account has in memory when its last session ends."""


def has_memory_that_lasts() -> bool:
    """Tell whether this machine has a folder in memory whose files stay as long as NGINX runs."""
    mounts = [line.split()[1:3] for line in _MOUNTS.read_text("utf-8", errors="replace").splitlines()]
    return [str(_MEMORY), "tmpfs"] in mounts and (os.geteuid() == 0 or not _SESSIONS.exists())


def folder_of(home: Path) -> Path:
    """Return where NGINX finds a stack's kept decisions: a link in the stack's own folder to one in memory.

    Args:
        home: `SIRENA_HOME` of the stack.
    """
    return home / "nginx" / "decisions"


def prepare(link: Path) -> None:
    """Make the folder in which NGINX makes its own, and the link to it; again is harmless.

    Raises:
        PreparationError: no folder can be made.
    """
    if link.is_symlink() and _is_ours(link.readlink()):
        return
    try:
        folder = Path(tempfile.mkdtemp(prefix="sirena-", dir=_MEMORY))
        folder.chmod(0o755)
        beside = link.with_name(f".{link.name}")
        beside.unlink(missing_ok=True)
        beside.symlink_to(folder)
        beside.replace(link)
    except OSError as error:
        raise PreparationError(
            f"no folder can be made in {_MEMORY}: {error.strerror}", hint="see who fills it: df -i, df -h"
        ) from error


def starting(link: Path, command: Sequence[str]) -> tuple[str, ...]:
    """Return the command that makes the folder, if there is a place for it, and becomes NGINX.

    Args:
        link: to the kept decisions.
        command: starts NGINX.
    """
    return (sys.executable, "-m", __name__, str(link), *command)


def remove(link: Path) -> None:
    """Remove what is kept; safe where nothing is."""
    if link.is_symlink():
        folder = link.readlink()
        if _is_ours(folder):
            shutil.rmtree(folder)
        link.unlink()


def _is_ours(folder: Path) -> bool:
    # everybody may write beside it, and have put something in its place after the machine started
    return folder.is_dir() and not folder.is_symlink() and folder.lstat().st_uid == os.geteuid()


def _start(link: str, program: str, *arguments: str) -> None:
    if has_memory_that_lasts():
        prepare(Path(link))
    os.execv(program, [program, *arguments])  # noqa: S606 - NGINX, by the path it was found at


if __name__ == "__main__":
    _start(*sys.argv[1:])
