"""A part of the stack: what runs, as whom, on which port, and how one knows that it is well."""

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
from sirena.server.parts.doors import Door

_ANSWER_SECONDS: Final = 3.0
_VERSION_SECONDS: Final = 20.0
_NO_ANSWER: Final = (urllib.error.URLError, http.client.HTTPException, OSError, ValueError)
"""What comes of asking a part that is away, or that ends in the middle of its answer."""


class Health(Protocol):
    """A question that a healthy part answers."""

    def is_well(self) -> bool:
        """Tell whether the part answers now."""

    def remark(self) -> str:
        """Say what a well part still lacks before it is of use; empty when it lacks nothing."""
        return ""


@dataclass(frozen=True)
class HttpHealth(Health):
    """Asks a path of a part's port or socket; the part is well when it answers 200 or 204."""

    door: Door
    target: str = ""

    def is_well(self) -> bool:
        """Tell whether it answers now."""
        try:
            with self.door.open(self.target, seconds=_ANSWER_SECONDS) as answer:
                return answer.status in (200, 204)
        except _NO_ANSWER:
            return False


@dataclass(frozen=True)
class ServiceHealth(Health):
    """The service: well when it is ready, or would be if there were a release; a fresh server has none yet."""

    door: Door
    target: str = "/readyz"
    """Answers 200 when ready, and else an error whose code says why."""

    def is_well(self) -> bool:
        """Tell whether it is ready, or waits for nothing but a first release."""
        return HttpHealth(self.door, self.target).is_well() or self._waits()

    def remark(self) -> str:
        """Say that it waits for a first release."""
        return "waits for a release" if self._waits() else ""

    def _waits(self) -> bool:
        try:
            self.door.open(self.target, seconds=_ANSWER_SECONDS).close()
        except urllib.error.HTTPError as error:
            with error, contextlib.suppress(*_NO_ANSWER):
                return b'"no_release"' in error.read()
        except _NO_ANSWER:
            pass
        return False


@dataclass(frozen=True)
class GreetingHealth(Health):
    """A loopback port that greets whoever connects: the kernel alone accepts for a program that hangs."""

    port: int
    greeting: bytes
    """With what its first bytes begin."""

    def is_well(self) -> bool:
        """Tell whether the port greets now."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=_ANSWER_SECONDS) as connection:
                return connection.recv(len(self.greeting), socket.MSG_WAITALL) == self.greeting
        except OSError:
            return False


@dataclass(frozen=True)
class QuestionHealth(Health):
    """A Unix socket that answers a question with anything."""

    path: Path
    question: bytes

    def is_well(self) -> bool:
        """Tell whether it answers now."""
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
    """A command that ends with 0."""

    command: tuple[str, ...]

    def is_well(self) -> bool:
        """Tell whether the command succeeds now."""
        try:
            ended = subprocess.run(  # noqa: S603 - our own command lines, no shell
                self.command, capture_output=True, timeout=_ANSWER_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return ended.returncode == 0


@dataclass(frozen=True)
class RunningHealth(Health):
    """Nothing to ask: well while the process runs."""

    def is_well(self) -> bool:
        """Always true; that it runs is the supervisor's knowledge."""
        return True


@dataclass(frozen=True)
class Part:
    """One supervised process."""

    name: str
    command: tuple[str, ...]
    """Program and arguments, in the foreground; no secrets, since anyone on the machine can list them."""
    account: OsAccount
    health: Health
    version: str
    """Version of the program."""
    port: int | None = None
    """Port it listens on; None when it listens on none."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables added to a nearly empty environment; no secrets, only the names of files that hold them."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: int = 30
    """How long it may take to end what is under way before it is killed."""
    ready_seconds: float = 60.0
    """How long it may take until it is well."""


def program(name: str, package: str, *folders: str) -> str:
    """Return the path of a program of the operating system.

    Raises:
        PreparationError: it is not installed; the hint names Debian's package.
    """
    for path in [*folders, search_path()]:
        found = shutil.which(name, path=path)
        if found:
            return found
    raise PreparationError(f"{name} is not installed", hint=f"apt-get install --no-install-recommends {package}")


def require_version(name: str, version: str, oldest: tuple[int, ...]) -> tuple[int, ...]:
    """Return the numbers of a version that is new enough.

    Args:
        name: of the program, to a person.
        version: as `version_of` read it.
        oldest: the first version that will do; empty when any does.

    Raises:
        PreparationError: it is older, or says nothing that could be compared.
    """
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = tuple(map(int, found[0].split("."))) if found else ()
    if oldest and not numbers:
        raise PreparationError(f"{name} does not tell its version", hint=f"it must be {_dotted(oldest)} or newer")
    if numbers < oldest:
        raise PreparationError(f"{name} {version} is too old", hint=f"install {_dotted(oldest)} or newer")
    return numbers


def version_of(command: list[str]) -> str:
    """Return the first word that looks like a version in what a program says of itself.

    Raises:
        PreparationError: it does not say so in time.
    """
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=_VERSION_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise PreparationError(f"{command[0]} does not tell its version", hint="is the machine overloaded?") from None
    words = (ended.stdout + " " + ended.stderr).replace("/", " ").split()
    return next((word for word in words if word[:1].isdigit() and "." in word), "unknown")


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))
