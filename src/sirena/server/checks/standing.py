"""The state of the stack of a `SIRENA_HOME`: never started, stopped, running, or visible to another account only."""

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from sirena.server.supervision.supervisor import Supervisor


class StackState(StrEnum):
    """Whether a stack was never started here, is down, runs, or belongs to another account."""

    NONE = "none"
    """The stack was never started here."""
    DOWN = "down"
    RUNNING = "running"
    HIDDEN = "hidden"
    """There is a stack, but another account owns its files."""


@dataclass(frozen=True)
class StackStanding:
    """The state in which a stack was found."""

    state: StackState
    supervisor_id: int | None = None
    """Id of the supervisor's process, while it runs."""

    @classmethod
    def of(cls, supervisor: Supervisor) -> Self:
        """Create the standing from a supervisor, by asking for its stack's state; nothing is started."""
        try:
            has_configuration = supervisor.configuration.exists()
        except PermissionError:
            return cls(StackState.HIDDEN)
        if not has_configuration:
            return cls(StackState.NONE)
        if not os.access(supervisor.configuration, os.R_OK):
            return cls(StackState.HIDDEN)
        process_id = supervisor.process_id()
        return cls(StackState.DOWN) if process_id is None else cls(StackState.RUNNING, process_id)
