"""The entry's own logs: who may read them, and how they are kept from growing.

NGINX writes two: every request (for the operator), and what it refused by itself (followed by the access service, which
puts it on record). supervisord rotates only what programs print, so logrotate rotates these two.
"""

from typing import Final

from sirena.operations.accounts import Account
from sirena.operations.entry import Entry
from sirena.operations.part import Part, RunningHealth, program, version_of

_PAUSE_SECONDS: Final = 120


def log_rotation(entry: Entry) -> Part:
    """Describe the process that looks at the logs' sizes every two minutes.

    It looks once and sleeps; the supervisor starts it again. So it has no loop of its own that could get stuck, and
    ends at once when it is told to.
    """
    logrotate = _program()
    state = entry.folder / "logrotate.state"
    look = f'"$0" --state "$1" "$2"; exec sleep {_PAUSE_SECONDS}'
    return Part(
        "log-rotation",
        ("/bin/sh", "-c", look, logrotate, str(state), str(entry.folder / "logrotate.conf")),
        Account.of_this_process(),
        RunningHealth(),
        version_of([logrotate, "--version"]),
    )


def _program() -> str:
    return program("logrotate", "logrotate")
