"""Keeping the parts running by supervisord: starting it, changing its parts, reading their states, stopping it.

supervisord restarts parts that crash, stops all in the reverse order of their start, and rotates logs. It listens on a
Unix socket that only its own account can use.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, cast

import psutil
from supervisor.xmlrpc import Faults  # type: ignore[import-untyped]

from sirena.host import init_system
from sirena.host.accounts import OsAccount, PreparationError
from sirena.host.environment import inherited_environment
from sirena.host.secret_files import write_private
from sirena.server.parts.part import Part
from sirena.server.supervision.supervisor_configuration import configuration_text
from sirena.server.supervision.supervisor_socket import NoAnswerError, ProcessState, ask

_SOCKET_LENGTH: Final = 100
_START_SECONDS: Final = 60.0
_UNSEEN_SECONDS: Final = 1.0
_STOP_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.1


class Supervisor:
    """The supervisord of one `SIRENA_HOME`."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "supervisor"
        self.logs = home / "logs"

    @property
    def configuration(self) -> Path:
        """The supervisor's configuration file."""
        return self.folder / "supervisord.conf"

    def command(self, *, foreground: bool = True) -> list[str]:
        """Return the command that runs the supervisor; `foreground` is for systemd, which supervises it."""
        stay = ["-n"] if foreground else []
        return [sys.executable, "-m", "supervisor.supervisord", *stay, "-c", str(self.configuration)]

    def write(self, parts: Iterable[Part]) -> None:
        """Write the supervisor's configuration; parts start in the order given.

        Raises:
            PreparationError: the path of the socket is too long, or a path or setting holds a character not allowed.
        """
        self.require_short_path()
        own = OsAccount.of_this_process()
        own.own_folder(self.folder)
        own.own_folder(self.logs)
        write_private(self.configuration, configuration_text(self.folder, self.logs, parts), own)

    def require_short_path(self) -> None:
        """Check that the supervisor's socket can be made at its path.

        Raises:
            PreparationError: the path is too long for a socket.
        """
        if len(str(self._socket)) > _SOCKET_LENGTH:
            raise PreparationError(f"{self._socket} is too long for a socket", hint="choose a shorter SIRENA_HOME")

    def start(self) -> None:
        """Start the supervisor in the background, or make a running one apply its configuration.

        If systemd has a unit for the supervisor, systemd starts it.

        Raises:
            PreparationError: the supervisor does not start.
        """
        if self.is_running():
            self._take_up()
            return
        self._socket.unlink(missing_ok=True)
        failure = ""
        if init_system.holds(self.configuration):
            init_system.start_unit()
        else:
            failure = self._start_in_background()
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_running():
            if failure or time.monotonic() > deadline:
                raise PreparationError(
                    f"the supervisor did not start: {failure or 'it does not answer'}",
                    hint=f"read {self.folder / 'supervisord.log'}",
                )
            time.sleep(_POLL_SECONDS)

    def _start_in_background(self) -> str:
        """Start the supervisor; return the first line of its errors, empty if it started."""
        process = subprocess.run(  # noqa: S603 - our own command line, no shell
            self.command(foreground=False),
            env=inherited_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_START_SECONDS,
            cwd="/",
            check=False,
        )
        if process.returncode == 0:
            return ""
        return (process.stderr.strip().splitlines() or [f"exit code {process.returncode}"])[0]

    def await_answer(self) -> None:
        """Wait while the supervisor's process exists but does not answer: it is starting, or stopping its parts.

        A second supervisor, or the preparation of one, would use the same database at the same time.
        """
        now = last_sight = time.monotonic()
        # ending its parts takes longer than starting
        deadline = now + _STOP_SECONDS
        # while a program is being loaded its command line is empty: one look does not tell that none is there
        while not self.is_running() and now < deadline and now - last_sight < _UNSEEN_SECONDS:
            time.sleep(_POLL_SECONDS)
            now = time.monotonic()
            if self._process_exists():
                last_sight = now

    def is_running(self) -> bool:
        """Tell whether the supervisor answers."""
        try:
            self._call("getState")
        except NoAnswerError:
            return False
        return True

    def process_id(self) -> int | None:
        """Return the id of the supervisor's process; None if it does not run.

        A supervisor that is stopping its parts does not answer but exists until the last of them has ended; meanwhile
        the id is read from its PID file.
        """
        try:
            return int(cast("int", self._call("getPID")))
        except NoAnswerError:
            return self._noted_process()

    def states(self) -> dict[str, ProcessState]:
        """Return the state of each process, by name; empty if the supervisor does not run."""
        try:
            items = cast("list[dict[str, Any]]", self._call("getAllProcessInfo"))
        except NoAnswerError:
            return {}
        return {item["name"]: ProcessState.of_item(item) for item in items}

    def stop(self) -> bool:
        """Stop every part, last started first, then the supervisor. Returns False if the supervisor was not running.

        Raises:
            PreparationError: the supervisor is still running after two minutes.
        """
        process_id = self.process_id()
        if process_id is None:
            return False
        os.kill(process_id, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_SECONDS
        while _is_alive(process_id):
            if time.monotonic() > deadline:
                raise PreparationError("the supervisor does not end", hint=f"read {self.logs / 'supervisord.log'}")
            # it looks after its parts once a second, and whenever somebody asks it something
            self.is_running()
            time.sleep(_POLL_SECONDS)
        return True

    def end(self, *names: str) -> None:
        """Stop some parts, in the order given, and leave the others running. `start` starts them again."""
        states = self.states()
        for name in names:
            if name in states:
                self._end(name)

    def restart(self, name: str) -> None:
        """Stop a part, by force if it does not end in time, and start it again."""
        self._end(name)
        self._start_process(name)

    def _end(self, name: str) -> None:
        """Stop a part, by force if it does not end in time, and wait until it has ended.

        Raises:
            PreparationError: the supervisor does not answer, or the part still runs after two minutes.
        """
        try:
            self._call("stopProcess", name, False)
        except NoAnswerError as refusal:
            # it has ended since we looked
            if refusal.fault != Faults.NOT_RUNNING:
                raise
        # asked to wait by itself, the supervisor would look at its parts once a second
        deadline = time.monotonic() + _STOP_SECONDS
        while cast("dict[str, Any]", self._call("getProcessInfo", name))["statename"] == "STOPPING":
            if time.monotonic() > deadline:
                raise PreparationError(f"{name} does not end", hint=f"read {self.logs / 'supervisord.log'}")
            time.sleep(_POLL_SECONDS)

    def _take_up(self) -> None:
        changes = cast("list[list[list[str]]]", self._call("reloadConfig"))
        new_names, changed_names, removed_names = changes[0]
        # last started first, as `stop` does: MLflow, while its callers stay connected, ends only by force
        for name in reversed([*removed_names, *changed_names]):
            self._end(name)
            self._call("removeProcessGroup", name)
        for name in [*changed_names, *new_names]:
            self._call("addProcessGroup", name)
        for name, state in self.states().items():
            if state.state in ("FATAL", "EXITED", "STOPPED"):
                self._start_process(name)

    def _start_process(self, name: str) -> None:
        try:
            self._call("startProcess", name, False)
        except NoAnswerError as refusal:
            # the supervisor restarts by itself what has exited, perhaps since we looked; whoever waits for
            # a part reports that it does not start
            if refusal.fault not in (Faults.ALREADY_STARTED, Faults.SPAWN_ERROR):
                raise

    def _process_exists(self) -> bool:
        # a process that has ended, or that another account may not see, has no command line
        return any(self._is_its(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"]))

    def _is_its(self, words: list[str]) -> bool:
        """Tell whether a command line is that of this `SIRENA_HOME`'s supervisor."""
        return {"supervisor.supervisord", str(self.configuration)} <= set(words)

    def _noted_process(self) -> int | None:
        """Return the process in the supervisor's file, if that process is the supervisor."""
        try:
            process_id = int((self.folder / "supervisord.pid").read_text(encoding="ascii"))
            words = psutil.Process(process_id).cmdline()
        except (OSError, ValueError, psutil.Error):
            return None
        return process_id if self._is_its(words) else None

    @property
    def _socket(self) -> Path:
        return self.folder / "supervisor.sock"

    def _call(self, method: str, *arguments: object) -> object:
        return ask(self._socket, method, *arguments)


def _is_alive(process_id: int) -> bool:
    try:
        # in a container nobody may collect what has ended
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
