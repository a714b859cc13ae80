"""Servers on loopback as child processes: starting them, waiting until they answer, ending them with this process."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from sirena.domain.errors import SirenaError
from sirena.server.parts.part import Health

_POLL_SECONDS: Final = 0.1
_GRACE_SECONDS: Final = 10.0
START_SECONDS: Final = 180.0
"""Longest time for a server to answer: MLflow needs 6 s alone on two cores, and a minute on a busy machine."""


class ProcessStartError(SirenaError):
    """A part's process ended, or did not answer in time, while it started."""

    code = "not_started"


def free_port() -> int:
    """Return a free loopback TCP port that the kernel gives to no other program for a minute.

    A server takes seconds to listen; by then a port that was only checked may have been taken by another program. So a
    connection is made on the port and closed from its side: the port stays in TIME_WAIT, in which the kernel chooses it
    for no program, while servers, which set SO_REUSEADDR, may listen on it.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()):
            listener.accept()[0].close()
        return int(listener.getsockname()[1])


class ChildProcess:
    """A server as a child process, in a separate process group.

    `launch` returns at once, so that other work can be done while the server starts; `await_health` waits for it;
    `start` does both. At the end of a ``with`` block SIGTERM goes to the whole group, and SIGKILL to the processes left
    after ten seconds, so that no process stays.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        health: Health,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare the process; `launch` starts it.

        Args:
            name: name of the server, for messages.
            command: program and arguments.
            health: check that tells when the server is ready.
            log: file that receives the output.
            environment: variables added to those of this process; logs are in English.
        """
        self.name = name
        self._command = list(command)
        self._health = health
        self._log = log
        # whatever folder the command is given in, no module is taken from it
        self._environment = {**os.environ, "LANGUAGE": "en", "PYTHONSAFEPATH": "1", **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout_seconds: float = START_SECONDS) -> None:
        """Start the process and wait until it is healthy; raises the errors of `await_health`."""
        self.launch()
        self.await_health(timeout_seconds)

    def launch(self) -> None:
        """Start the process and return at once; nothing happens if it runs already."""
        if self._process is not None:
            return
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
                self._command, stdout=output, stderr=output, env=self._environment, start_new_session=True
            )

    def await_health(self, timeout_seconds: float = START_SECONDS) -> None:
        """Wait until the server is healthy.

        Raises:
            ProcessStartError: the process ended, or did not answer in time and was stopped; the hint names its log.
        """
        deadline = time.monotonic() + timeout_seconds
        while not self._health.is_well():
            has_ended = self._process is None or self._process.poll() is not None
            if has_ended or time.monotonic() > deadline:
                self.stop()
                fault = "ended at once" if has_ended else f"did not answer within {timeout_seconds:.0f} s"
                raise ProcessStartError(f"{self.name} {fault}", hint=f"read {self._log}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """End the process and all its children; calling it again does nothing."""
        if self._process is None:
            return
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, signal_number)
                self._process.wait(_GRACE_SECONDS)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        self._process = None

    def wait(self) -> int:
        """Wait until the process ends by itself, and return its exit code."""
        return self._process.wait() if self._process else 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
