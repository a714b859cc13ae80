"""Reloading NGINX's configuration, and waiting until it is in force.

`nginx -s reload` returns at once, while workers with the former configuration still take requests for a moment. If the
new configuration cannot be used, as when a port is taken, they go on for good, and only the log says so.
"""

import time
from collections.abc import Callable
from typing import Final

import psutil

from sirena.host.accounts import OsAccount, PreparationError
from sirena.server.entry.nginx import NginxEntry

_PATIENCE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.1
_WORKER: Final = "nginx: worker process"
"""Process title of a worker that takes requests; a worker that is to end has a longer title."""


def take_up(entry: NginxEntry, *, is_coming: Callable[[], bool]) -> None:
    """Make NGINX use what `NginxEntry.write` wrote, without losing a request; return when all new requests meet it.

    Args:
        entry: whose configuration was written.
        is_coming: tells whether NGINX runs or is being started; if not, it reads the configuration at its next start.

    Raises:
        PreparationError: NGINX goes on with the former configuration.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    former: frozenset[int] = frozenset()
    while is_coming() and time.monotonic() < deadline:
        former = former or _request_reload(entry)
        if former and not former & _workers(entry):
            return
        time.sleep(_POLL_SECONDS)
    if former and is_coming():
        raise PreparationError(
            "NGINX goes on with its former configuration", hint="`sirena logs entry` says why; then repeat"
        )


def _request_reload(entry: NginxEntry) -> frozenset[int]:
    """Ask NGINX to reload, and return the workers that ran before; empty while NGINX is still starting."""
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
        master = psutil.Process(int((entry.folder / "nginx.pid").read_text(encoding="ascii")))
        return frozenset(process.pid for process in master.children() if _title(process) == _WORKER)
    except (OSError, ValueError, psutil.Error):
        return frozenset()


def _title(process: psutil.Process) -> str:
    try:
        # empty words remain of a command line that was longer than the title
        return " ".join(process.cmdline()).rstrip()
    except psutil.Error:
        return ""
