"""What processes use: peak memory of this one, memory and processor time of a server. Linux only (``/proc``)."""

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def peak_mib() -> int:
    """Return this process's own largest resident memory so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


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
