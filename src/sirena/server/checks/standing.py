"""How the stack of a `SIRENA_HOME` stands: never brought up, down, running, or another account's to see."""

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from sirena.server.supervision.supervisor import Supervisor


class StackState(StrEnum):
    """How it stands."""

    NONE = "none"
    """Never brought up here."""
    DOWN = "down"
    RUNNING = "running"
    HIDDEN = "hidden"
    """Something is here, and belongs to an account we are not."""


@dataclass(frozen=True)
class StackStanding:
    """How it was found."""

    state: StackState
    supervisor_id: int | None = None
    """The supervisor's process, while it runs."""

    @classmethod
    def of(cls, supervisor: Supervisor) -> Self:
        """Look, and start nothing."""
        try:
            there = supervisor.configuration.exists()
        except PermissionError:
            return cls(StackState.HIDDEN)
        if not there:
            return cls(StackState.NONE)
        if not os.access(supervisor.configuration, os.R_OK):
            return cls(StackState.HIDDEN)
        process_id = supervisor.process_id()
        return cls(StackState.DOWN) if process_id is None else cls(StackState.RUNNING, process_id)
