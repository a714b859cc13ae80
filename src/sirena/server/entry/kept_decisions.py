"""Decisions of the access service that NGINX keeps for a moment, so that not every request of a busy program asks it.

Rules, each with a test of like name in `tests/integration/server/test_kept_decisions.py`:

- a decision is kept only if it allows a request for answers that has a token; a request with a header that the access
  service refuses or that browsers send is asked about each time, and so is every other route;
- a refusal is never kept, however many tokens somebody tries;
- a kept decision is valid for one connection, method, target and token; any other is asked about;
- a kept decision is used for a second at most: only while the age of the connection, in whole seconds, is the same as
  when it was made, so setting the clock does not prolong it. The identity was read at most one second before
  (`sirena.access.authentication.FRESH_SECONDS`), so an account that loses a right is refused within two seconds;
- a decision that does not say that it depends on the token (``Vary: Authorization``) is not kept;
- no file holds a credential: of a header that ``Vary`` names, NGINX keeps only a hash, from which nobody can guess the
  256 random bits of a token. For passwords, which can be guessed, decisions are not kept;
- a full disk does no harm: NGINX breaks the connection if it cannot write a decision down, so the files lie in memory.
  On a machine without a lasting folder in memory each request is asked about;
- the folder in memory gets a new random name each time it is made, so that no other account can take the name first;
- a stack whose folder was copied or brought back, link and all, makes a folder of its own, and removes no other;
- after a start of the machine no decision is kept, since the memory is empty.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import psutil

from sirena.host.accounts import PreparationError

SINCE: Final = (1, 19, 10)
"""First version of NGINX that knows how long a connection has been open; earlier ones ask about each request."""
KEPT_REQUEST: Final = (
    r"^POST:/(invocations|models/[A-Za-z0-9_.-]+/invocations|v2/models/[A-Za-z0-9_.-]+/infer)"
    r"([?]ground=(none|short|full))?:Bearer sir_[A-Za-z0-9_-]+:$"
)
"""Pattern of method, target, ``Authorization`` and the values of `ASKED_ABOUT`, for requests whose decision is kept.
NGINX writes the target into a file, so no query is allowed but this one.
"""
ASKED_ABOUT: Final = (
    *("x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url"),
    *("x-sirena-user", "x-sirena-role", "x-sirena-roles", "x-sirena-session", "x-sirena-places"),
    *("cookie", "origin", "sec-fetch-site", "x-sirena-csrf"),
)
"""Headers with which a request is always asked about: tricks, identity headers, and what only browsers send."""
_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - `mkdtemp` makes the names there
_SESSIONS: Final = Path("/run/systemd/seats")
"""Exists where systemd-logind runs, which removes an account's files in memory when its last session ends."""


def has_memory_that_lasts() -> bool:
    """Tell whether this machine has a folder in memory whose files stay as long as NGINX runs."""
    mounts = {(mount.mountpoint, mount.fstype) for mount in psutil.disk_partitions(all=True)}
    return (str(_MEMORY), "tmpfs") in mounts and (os.geteuid() == 0 or not _SESSIONS.exists())


def folder_of(home: Path) -> Path:
    """Return where NGINX finds a stack's kept decisions: a link in the stack's folder to a folder in memory.

    Args:
        home: `SIRENA_HOME` of the stack.
    """
    return home / "nginx" / "decisions"


def prepare(link: Path) -> None:
    """Make the folder of kept decisions for NGINX and the link to it, unless they exist.

    Raises:
        PreparationError: no folder can be made.
    """
    if link.is_symlink() and _is_of(link, link.readlink()):
        return
    try:
        folder = Path(tempfile.mkdtemp(prefix=_folder_prefix(link), dir=_MEMORY))
        try:
            folder.chmod(0o755)
            beside = link.with_name(f".{link.name}")
            beside.unlink(missing_ok=True)
            beside.symlink_to(folder)
            beside.replace(link)
        except OSError:
            # a full disk has no room for the link, and NGINX is started again and again
            folder.rmdir()
            raise
    except OSError as error:
        raise PreparationError(
            f"no folder can be made in {_MEMORY}, or no link to it at {link}: {error.strerror}",
            hint="see who fills them: df -i, df -h",
        ) from error


def starting(link: Path, command: Sequence[str]) -> tuple[str, ...]:
    """Return the command that makes the folder, if the machine has memory that lasts, and then becomes NGINX.

    Args:
        link: to the kept decisions.
        command: that starts NGINX.
    """
    return (sys.executable, "-m", __name__, str(link), *command)


def remove(link: Path) -> None:
    """Remove the kept decisions, if there are any."""
    if link.is_symlink():
        folder = link.readlink()
        if _is_of(link, folder):
            shutil.rmtree(folder)
        link.unlink()


def _is_of(link: Path, folder: Path) -> bool:
    if folder.parent != _MEMORY or not folder.name.startswith(_folder_prefix(link)):
        return False
    # everybody may write beside it, and have put something in its place after the machine started
    return folder.is_dir() and not folder.is_symlink() and folder.lstat().st_uid == os.geteuid()


def _folder_prefix(link: Path) -> str:
    return f"sirena-{sha256(os.fsencode(link.parent.resolve())).hexdigest()[:16]}-"


def _start(link: str, program: str, *arguments: str) -> None:
    if has_memory_that_lasts():
        prepare(Path(link))
    os.execv(program, [program, *arguments])  # noqa: S606 - NGINX, by the path it was found at


if __name__ == "__main__":
    _start(*sys.argv[1:])
