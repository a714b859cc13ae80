"""Keeping the entry's own logs from growing.

NGINX writes two: every request (for the operator), and what it refused by itself (followed by the access service, which
puts it on record). supervisord rotates only what programs print, so logrotate rotates these two.
"""

from sirena.host.accounts import OsAccount
from sirena.server.entry.nginx import NginxEntry, logrotate_program
from sirena.server.parts.part import Part, RunningHealth, version_of


def log_rotation(entry: NginxEntry) -> Part:
    """Describe the process that looks at the logs' sizes every two minutes.

    One process that stays: started anew for each look, it would be counted as starting whenever `status` asked then.
    """
    return Part(
        "log-rotation",
        ("/bin/sh", str(entry.folder / "rotate_logs.sh")),
        OsAccount.of_this_process(),
        RunningHealth(),
        version_of([logrotate_program(), "--version"]),
    )
