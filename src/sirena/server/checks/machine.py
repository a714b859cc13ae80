"""Checking the machine: memory for the stack, and a synchronised clock."""

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil

from sirena.server.checks.finding import Area, CheckReport, CheckVerdict
from sirena.settings.catalogue import Settings

_GIB: Final = 2**30
NEEDED_GIB: Final = {"production": 1.3, "embedded": 0.8}
"""GiB of memory that the parts of a profile take at rest, measured with `sirena status`."""
_TRAINING_GIB: Final = 2.0
"""GiB of memory that training takes besides the stack."""
_LIMITS: Final = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)
"""Files with a container's memory limit, by version 2 and version 1 of the kernel's control groups."""
_TIMEX_BYTES: Final = 256
"""Bytes for the kernel's structure, more than it takes on any architecture."""
_UNSYNCHRONISED: Final = 5


def look_at_memory(settings: Settings, check_report: CheckReport, *, is_running: bool) -> None:
    """Check that memory is enough for the stack and for training.

    Args:
        settings: settings of the stack.
        check_report: receives the finding.
        is_running: True if the stack runs, so that its memory is already in use.
    """
    with check_report.looking(Area.MACHINE, "memory"):
        memory = psutil.virtual_memory()
        total, available = min([memory.total / _GIB, *_limits()]), memory.available / _GIB
        least = NEEDED_GIB[settings.profile]
        text = f"{total:.1f} GiB, {available:.1f} available; the stack takes {least}, training {_TRAINING_GIB:.0f} more"
        if total < least:
            verdict, remedy = CheckVerdict.WRONG, f"give the machine {least + _TRAINING_GIB:.0f} GiB or more"
        elif total < least + _TRAINING_GIB:
            verdict, remedy = CheckVerdict.WARNING, "train on another machine, or give this one more memory"
        elif not is_running and available < least:
            verdict, remedy = CheckVerdict.WARNING, "end what takes the memory: `ps aux --sort=-rss | head`"
        else:
            verdict, remedy = CheckVerdict.WELL, ""
        check_report.note(Area.MACHINE, "memory", verdict, text, remedy)


def look_at_clock(check_report: CheckReport, ask: Callable[[], int] | None = None) -> None:
    """Check that the kernel considers its clock synchronised: sessions, tokens and certificates depend on it.

    Args:
        check_report: receives the finding.
        ask: function that returns the state of the kernel's clock; for tests.
    """
    state = (ask or _kernel_clock)()
    if state < 0:
        text, verdict, remedy = "the kernel does not tell", CheckVerdict.UNSEEN, "timedatectl"
    elif state == _UNSYNCHRONISED:
        text, verdict = "not synchronised; sessions, tokens and certificates depend on it", CheckVerdict.WARNING
        remedy = "`timedatectl set-ntp true`, or `apt-get install chrony`; in a container: on its host"
    else:
        text, verdict, remedy = "synchronised", CheckVerdict.WELL, ""
    check_report.note(Area.MACHINE, "clock", verdict, text, remedy)


def _limits() -> list[float]:
    texts = (path.read_text(encoding="ascii").strip() for path in map(Path, _LIMITS) if path.is_file())
    # without a limit it says "max"
    return [int(text) / _GIB for text in texts if text.isdigit()]


def _kernel_clock() -> int:
    """Return the state of the kernel's clock by adjtimex(2), which changes nothing; negative when it cannot be read."""
    try:
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    except (OSError, AttributeError):
        return -1
