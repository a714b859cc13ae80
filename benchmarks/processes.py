"""Time and memory that processes use: this one, a command or a server. Linux only (``/proc``)."""

import os
import resource
import subprocess
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any


def peak_mib() -> int:
    """Return the peak resident memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measured(
    command: list[str], environment: Mapping[str, str] | None = None, cores: Collection[int] | None = None
) -> dict[str, Any]:
    """Run a command; return its seconds, and processor seconds and peak memory of its own process.

    Args:
        command: program and arguments; must succeed.
        environment: environment variables; those of this process if None.
        cores: cores that the command may run on; all if None.
    """
    begun = time.perf_counter()
    process = subprocess.Popen(
        command,
        stderr=subprocess.DEVNULL,
        env=environment,
        preexec_fn=None if cores is None else lambda: os.sched_setaffinity(0, cores),
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[:4]} ended with {process.returncode}")
    return {
        "seconds": round(seconds, 2),
        "processor_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mib": usage.ru_maxrss // 1024,
    }


def resident_mib(session: int) -> int:
    """Return the memory of all processes of a session, shared pages counted once (PSS), in MiB.

    Args:
        session: process id of the session's leader, as of a process started with ``start_new_session``.
    """
    total = 0
    for pid in _processes(session):
        with suppress(OSError):  # it ended meanwhile
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total // 1024


def session_processor_seconds(session: int) -> float:
    """Return the processor time that all processes of a session have used so far, in seconds."""
    total = 0.0
    for pid in _processes(session):
        with suppress(OSError):  # it ended meanwhile
            total += processor_seconds(pid)
    return total


def _processes(session: int) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(after_name[3]) == session:
                yield int(folder.name)


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
