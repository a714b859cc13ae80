"""Child processes of the embedded profile: started on loopback, awaited, and ended with us."""

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
"""How long a server may take to answer: MLflow needs 6 s alone on two cores, and a minute where many others work."""


class ProcessStartError(SirenaError):
    """A part's process ended, or did not answer in time, while it started."""

    code = "not_started"


def free_port() -> int:
    """Return a loopback TCP port that is free, and that the kernel gives to nobody else for a minute.

    A server takes seconds to listen, and a port that was only looked at may be another program's by then. So a
    connection is made on it and ended from its side: it stays in TIME_WAIT, in which the kernel chooses it for
    nobody, and servers, which set SO_REUSEADDR, may listen.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()):
            listener.accept()[0].close()
        return int(listener.getsockname()[1])


class ChildProcess:
    """One server of the embedded profile, in a process group of its own.

    `launch` returns at once, so that a server comes up while other work is done; `await_health` waits for it, and
    `start` does both. Used as a context manager: leaving it sends SIGTERM to the whole group, then SIGKILL to what
    is left after ten seconds, so nothing stays behind.
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
        """Describe the process; `launch` runs it.

        Args:
            name: what messages call it.
            command: program and arguments.
            health: question that the part answers when it is ready.
            log: file that receives its output.
            environment: variables added to ours; logs are in English.
        """
        self.name = name
        self._command = list(command)
        self._health = health
        self._log = log
        # whatever folder the command is given in, no module is taken from it
        self._environment = {**os.environ, "LANGUAGE": "en", "PYTHONSAFEPATH": "1", **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout_seconds: float = START_SECONDS) -> None:
        """Run it and wait until it is healthy (see `await_health` for what is raised)."""
        self.launch()
        self.await_health(timeout_seconds)

    def launch(self) -> None:
        """Run it and return at once; nothing happens when it runs already."""
        if self._process is not None:
            return
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line, no shell
                self._command, stdout=output, stderr=output, env=self._environment, start_new_session=True
            )

    def await_health(self, timeout_seconds: float = START_SECONDS) -> None:
        """Wait until it answers the question of its health.

        Raises:
            ProcessStartError: it ended, or did not answer in time, and was stopped; the text names its log.
        """
        deadline = time.monotonic() + timeout_seconds
        while not self._health.is_well():
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                self.stop()
                what = "ended at once" if ended else f"did not answer within {timeout_seconds:.0f} s"
                raise ProcessStartError(f"{self.name} {what}", hint=f"read {self._log}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """End the process and every child of it; safe to call twice."""
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
        """Wait until it ends by itself and return its exit code."""
        return self._process.wait() if self._process else 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
