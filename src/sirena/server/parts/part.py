"""A part of the stack: its program, account and port, and the check whether it is healthy."""

import contextlib
import http.client
import re
import shutil
import signal
import socket
import subprocess
import urllib.error
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from sirena.host.accounts import OsAccount, PreparationError, search_path
from sirena.server.parts.connections import PartConnection

_ANSWER_SECONDS: Final = 3.0
_VERSION_SECONDS: Final = 20.0
_NO_ANSWER: Final = (urllib.error.URLError, http.client.HTTPException, OSError, ValueError)
"""Errors when a part does not answer, or ends in the middle of its answer."""


class Health(Protocol):
    """A check whether a part is healthy."""

    def is_well(self) -> bool:
        """Tell whether the part is healthy now."""

    def remark(self) -> str:
        """Return what a healthy part still waits for; empty if it waits for nothing."""
        return ""


@dataclass(frozen=True)
class HttpHealth(Health):
    """Check that a URL path at a part's port or socket answers with HTTP status 200 or 204."""

    connection: PartConnection
    target: str = ""

    def is_well(self) -> bool:
        """Tell whether the URL path answers with HTTP status 200 or 204 now."""
        try:
            with self.connection.open(self.target, seconds=_ANSWER_SECONDS) as answer:
                return answer.status in (200, 204)
        except _NO_ANSWER:
            return False


@dataclass(frozen=True)
class ServiceHealth(Health):
    """Check of the service, which is healthy if it is ready or waits only for a first release."""

    connection: PartConnection
    target: str = "/readyz"
    """Path that answers 200 when the service is ready, and else an error whose code says why."""

    def is_well(self) -> bool:
        """Tell whether the service is ready, or waits only for a first release."""
        return HttpHealth(self.connection, self.target).is_well() or self._waits()

    def remark(self) -> str:
        """Return a text that says that the service waits for a first release; empty if it does not wait."""
        return "waits for a release" if self._waits() else ""

    def _waits(self) -> bool:
        try:
            self.connection.open(self.target, seconds=_ANSWER_SECONDS).close()
        except urllib.error.HTTPError as error:
            with error, contextlib.suppress(*_NO_ANSWER):
                return b'"no_release"' in error.read()
        except _NO_ANSWER:
            pass
        return False


@dataclass(frozen=True)
class GreetingHealth(Health):
    """Check that a loopback port sends a greeting; the kernel accepts connections even for a program that hangs."""

    port: int
    greeting: bytes
    """Bytes with which the greeting begins."""

    def is_well(self) -> bool:
        """Tell whether the port sends the greeting now."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=_ANSWER_SECONDS) as connection:
                return connection.recv(len(self.greeting), socket.MSG_WAITALL) == self.greeting
        except OSError:
            return False


@dataclass(frozen=True)
class QuestionHealth(Health):
    """Check that a request to a Unix socket gets a response, whatever it says."""

    path: Path
    question: bytes

    def is_well(self) -> bool:
        """Tell whether the request gets a response now."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_ANSWER_SECONDS)
            try:
                connection.connect(str(self.path))
                connection.sendall(self.question)
                return bool(connection.recv(1))
            except OSError:
                return False


@dataclass(frozen=True)
class CommandHealth(Health):
    """Check that a command ends with exit code 0."""

    command: tuple[str, ...]

    def is_well(self) -> bool:
        """Tell whether the command ends with exit code 0 now."""
        try:
            process = subprocess.run(  # noqa: S603 - our own command lines, no shell
                self.command, capture_output=True, timeout=_ANSWER_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return process.returncode == 0


@dataclass(frozen=True)
class RunningHealth(Health):
    """No check: the part counts as healthy while its process runs."""

    def is_well(self) -> bool:
        """Return True; whether the process runs is known to the supervisor."""
        return True


@dataclass(frozen=True)
class Part:
    """A part of the stack: one supervised process."""

    name: str
    command: tuple[str, ...]
    """Program and arguments, to run in the foreground; without secrets, since anybody on the machine can list them."""
    account: OsAccount
    health: Health
    version: str
    """Version of the program."""
    port: int | None = None
    """Port on which the part listens; None if it listens on no port."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables added to a nearly empty environment; without secrets, only with names of files that hold them."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: int = 30
    """Seconds that the part may take to end before it is killed."""
    ready_seconds: float = 60.0
    """Seconds that the part may take until it is healthy."""


def program(name: str, package: str, *folders: str) -> str:
    """Return the path of a program of the operating system.

    Raises:
        PreparationError: the program is not installed; the hint names Debian's package.
    """
    for path in [*folders, search_path()]:
        program_path = shutil.which(name, path=path)
        if program_path:
            return program_path
    raise PreparationError(f"{name} is not installed", hint=f"apt-get install --no-install-recommends {package}")


def require_version(name: str, version: str, oldest: tuple[int, ...]) -> tuple[int, ...]:
    """Check that a version is new enough, and return its numbers.

    Args:
        name: name of the program, for the error.
        version: version, as `version_of` returns it.
        oldest: oldest version that is new enough; empty if every version is.

    Raises:
        PreparationError: the version is older, or is not a number.
    """
    match = re.match(r"\d+(?:\.\d+)*", version)
    numbers = tuple(map(int, match[0].split("."))) if match else ()
    if oldest and not numbers:
        raise PreparationError(f"{name} does not tell its version", hint=f"it must be {_dotted_text(oldest)} or newer")
    if numbers < oldest:
        raise PreparationError(f"{name} {version} is too old", hint=f"install {_dotted_text(oldest)} or newer")
    return numbers


def version_of(command: list[str]) -> str:
    """Return the first word of a command's output that looks like a version; ``unknown`` if there is none.

    Raises:
        PreparationError: the command does not end in time.
    """
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=_VERSION_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise PreparationError(f"{command[0]} does not tell its version", hint="is the machine overloaded?") from None
    words = (process.stdout + " " + process.stderr).replace("/", " ").split()
    return next((word for word in words if word[:1].isdigit() and "." in word), "unknown")


def _dotted_text(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))
