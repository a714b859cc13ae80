"""The health, version, memory and port of each part, for `sirena status`."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psutil

from sirena.server.parts.part import Part
from sirena.server.supervision.supervisor import Supervisor
from sirena.server.supervision.supervisor_socket import ProcessState

_MIB: Final = 2**20
_AGAIN_SECONDS: Final = 1.0


@dataclass(frozen=True)
class PartHealth:
    """The health of a part, with version, memory and port."""

    name: str
    well: bool
    state: str
    """`well` with what the part still waits for, `not answering`, or `not running` with the cause."""
    version: str
    port: int | None
    memory: int
    """Bytes of memory of process and children, with shared pages in proportion; 0 when it does not run."""
    seconds: int
    """Seconds since the process started."""

    @property
    def memory_mib(self) -> int:
        """Memory in MiB."""
        return self.memory // _MIB


def health_of(parts: Sequence[Part], supervisor: Supervisor) -> list[PartHealth]:
    """Return the health of every part."""
    states = supervisor.states()
    children: dict[int, list[int]] = {}
    for process in psutil.process_iter(["ppid"]):
        children.setdefault(process.info["ppid"], []).append(process.pid)
    return [_health(part, states.get(part.name), children) for part in parts]


def _health(part: Part, state: ProcessState | None, children: dict[int, list[int]]) -> PartHealth:
    is_running = state is not None and state.running
    well = is_running and _answers(part)
    if well:
        remark = part.health.remark()
        word = f"well, {remark}" if remark else "well"
    elif is_running:
        word = "not answering"
    else:
        word = f"not running ({state.state.lower()})" if state else "not running"
    memory = _memory(state.process_id, children) if state is not None and is_running else 0
    seconds = state.seconds if state is not None else 0
    return PartHealth(part.name, well, word, part.version, part.port, memory, seconds)


def _answers(part: Part) -> bool:
    """Tell whether a part is healthy; check twice, since a busy machine may fail one check."""
    if part.health.is_well():
        return True
    time.sleep(_AGAIN_SECONDS)
    return part.health.is_well()


def _memory(process_id: int, children: dict[int, list[int]]) -> int:
    own = _proportional(process_id)
    return own + sum(_memory(child, children) for child in children.get(process_id, []))


def _proportional(process_id: int) -> int:
    """Return the memory of a process, with its proportion of shared pages, of which PostgreSQL and MLflow have many."""
    try:
        return psutil.Process(process_id).memory_full_info().pss
    except psutil.Error:
        return 0
