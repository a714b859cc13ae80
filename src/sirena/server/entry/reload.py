"""Having NGINX take up its configuration, and knowing when it has.

`nginx -s reload` returns at once: for some moments workers of the former configuration still take requests, and where
the new one cannot be taken up, as with a port that is taken, they go on for good and only the log says so.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sirena.host.accounts import OsAccount, PreparationError
from sirena.host.process_tree import children
from sirena.server.entry.nginx import NginxEntry

_PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.1
_WORKER: Final = "nginx: worker process"
"""Title of a worker that takes requests; one that is to end has a longer one."""


def take_up(entry: NginxEntry, *, is_coming: Callable[[], bool]) -> None:
    """Have NGINX take up what `Entry.write` wrote, without losing a request; return when all new requests meet it.

    Args:
        entry: whose configuration is written.
        is_coming: tells whether NGINX runs or is being started; where it is not, it reads the configuration when it is.

    Raises:
        PreparationError: it goes on with the former configuration.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    former: frozenset[int] = frozenset()
    while is_coming() and time.monotonic() < deadline:
        former = former or _told_to(entry)
        if former and not former & _workers(entry):
            return
        time.sleep(_POLL_SECONDS)
    if former and is_coming():
        raise PreparationError(
            "NGINX goes on with its former configuration", hint="`sirena logs entry` says why; then repeat"
        )


def _told_to(entry: NginxEntry) -> frozenset[int]:
    """Tell it to, and return who took requests until then; nobody, when it is not yet so far that it can be told."""
    workers = _workers(entry)
    if workers:
        try:
            OsAccount.of_this_process().run([*entry.command, "-s", "reload"])
        except PreparationError:
            # it ended meanwhile, and is started anew
            return frozenset()
    return workers


def _workers(entry: NginxEntry) -> frozenset[int]:
    try:
        master = int((entry.folder / "nginx.pid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return frozenset()
    return frozenset(process for process in children().get(master, ()) if _title(process) == _WORKER)


def _title(process_id: int) -> str:
    try:
        return Path(f"/proc/{process_id}/cmdline").read_text(errors="replace").rstrip("\0 ")
    except OSError:
        return ""
