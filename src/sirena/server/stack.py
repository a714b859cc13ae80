"""What every stack does: start its parts, wait for them, stop them, and report their health."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sirena.host.accounts import PreparationError
from sirena.host.one_at_a_time import one_at_a_time
from sirena.server.parts.part import Part
from sirena.server.steps import Tell
from sirena.server.supervision.health_report import PartHealth, health_of
from sirena.server.supervision.supervisor import Supervisor
from sirena.settings.catalogue import Settings

_POLL_SECONDS: Final = 0.2
_ASKED: Final = 3
"""How many health checks, of three seconds each, must fail before a part counts as hanging."""
_PAUSING: Final = "BACKOFF"
_COMING: Final = ("STARTING", "RUNNING", _PAUSING)
"""The supervisor's states of a process that runs or is to run."""


class PartNotReadyError(PreparationError):
    """A part was started, but its health check failed until the time limit."""

    code = "not_ready"


@dataclass(frozen=True)
class Stack(ABC):
    """Everything below one `SIRENA_HOME`: `EmbeddedStack` on one's own machine, `ProductionStack` on a server."""

    settings: Settings

    @property
    def supervisor(self) -> Supervisor:
        """The supervisor that keeps the parts running."""
        return Supervisor(self.settings.home)

    @abstractmethod
    def parts(self) -> list[Part]:
        """Return the parts, in the order of their start."""

    @abstractmethod
    def places(self) -> list[str]:
        """Return the addresses of the running parts, one line for each, for people."""

    @abstractmethod
    def _bring_up(self, parts_to_start: Sequence[Part] | None, tell: Tell) -> None:
        """Prepare and start parts, and wait for them; None means all parts."""

    def bring_up(self, tell: Tell, parts: Sequence[Part] | None = None) -> None:
        """Prepare and start all parts, and wait until they are healthy.

        Repeating it restarts parts that hang and changes nothing else. Of two calls for one `SIRENA_HOME`, the second
        waits for the first.

        Args:
            tell: called with a text at each step.
            parts: parts to start; None means all parts of the stack.

        Raises:
            PreparationError: the machine lacks something, or a part did not become healthy.
        """
        self.settings.home.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(self.settings.home / "up.lock", lambda: tell("another start is under way: waiting for it")):
            self.supervisor.await_answer()
            self._bring_up(parts, tell)

    def _start(self, parts_to_start: Sequence[Part], tell: Tell) -> None:
        self.supervisor.write(list(parts_to_start))
        self.supervisor.start()
        self._restart_hung(parts_to_start, tell)

    def wait(self, parts: Sequence[Part], tell: Tell) -> None:
        """Wait until every part is healthy.

        Raises:
            PartNotReadyError: a part is not healthy in time; the hint names its log.
        """
        for part in parts:
            tell(part.name)
            # from its own turn: one look at the end of another's patience would say nothing of it
            start = time.monotonic()
            while not self.is_well(part):
                if time.monotonic() - start > part.ready_seconds:
                    log = self.supervisor.logs / f"{part.name}.log"
                    raise PartNotReadyError(
                        f"{part.name} is not ready after {part.ready_seconds:.0f} s",
                        hint=f"`sirena logs {part.name}`, or read {log}; the other parts keep running",
                    )
                time.sleep(_POLL_SECONDS)

    def _await_started(self, part: Part) -> None:
        """Wait for a part that the supervisor is starting, so that `_prepare` does not start a second one."""
        deadline = time.monotonic() + part.ready_seconds
        while not part.health.is_well() and time.monotonic() < deadline:
            if not self._is_coming(part.name):
                return
            time.sleep(_POLL_SECONDS)

    def _is_coming(self, name: str) -> bool:
        state = self.supervisor.states().get(name)
        return state is not None and state.state in _COMING

    def _restart_hung(self, parts: Sequence[Part], tell: Tell) -> None:
        """Restart parts that should be healthy by now and fail several health checks.

        A part that keeps failing is restarted at once, without waiting for the supervisor's pause to end.
        """
        states = self.supervisor.states()
        for part in parts:
            state = states.get(part.name)
            if state is not None and state.state == _PAUSING:
                self.supervisor.restart(part.name)
            if state is None or not state.running or state.seconds <= part.ready_seconds:
                continue
            if not any(part.health.is_well() for _ in range(_ASKED)):
                tell(f"{part.name} hangs, and is started anew")
                self.supervisor.restart(part.name)

    def is_well(self, part: Part) -> bool:
        """Tell whether a part runs and answers."""
        state = self.supervisor.states().get(part.name)
        return state is not None and state.running and part.health.is_well()

    def take_down(self) -> bool:
        """Stop all parts in order. Returns False if nothing ran."""
        return self.supervisor.stop()

    def health(self) -> list[PartHealth]:
        """Return the health of every part."""
        return health_of(self.parts(), self.supervisor)
