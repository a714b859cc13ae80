"""Keeping the entry's own logs from growing.

NGINX writes two logs: every request (for the operator), and what it refused by itself (for the access service, which
records it in the ledger). supervisord rotates only the output of programs, so logrotate rotates these two.
"""

from sirena.host.accounts import OsAccount
from sirena.server.entry.nginx import NginxEntry, logrotate_program
from sirena.server.parts.part import Part, RunningHealth, version_of


def log_rotation(entry: NginxEntry) -> Part:
    """Return the part that checks the sizes of the logs every two minutes.

    It is one process that stays: a process started for each check would show in `status` as just starting.
    """
    return Part(
        "log-rotation",
        ("/bin/sh", str(entry.folder / "rotate_logs.sh")),
        OsAccount.of_this_process(),
        RunningHealth(),
        version_of([logrotate_program(), "--version"]),
    )
