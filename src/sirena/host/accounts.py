"""Operating-system accounts under which the parts run: PostgreSQL refuses root, and no other part needs root."""

import getpass
import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from sirena.domain.errors import SirenaError

_COMMAND_SECONDS: Final = 120.0
_NOBODY_YET: Final = -1
"""In place of the user and group id of an account that does not exist yet."""
_STARTER_LIVES: Final = 'test "$PPID" = "$0" || exit 1; exec "$@"'
"""Shell script that ends if this process was killed before the kernel was asked to end the command with it."""

_FIRST_CLOSED: Final = 'n=0; for folder; do test -x "$folder" || { echo $n; exit; }; n=$((n + 1)); done'
"""Shell script that prints the position of the first of its arguments that is no folder that may be entered."""


class PreparationError(SirenaError):
    """The machine lacks something, or a step of starting the stack failed."""

    code = "preparation"


@dataclass(frozen=True)
class OsAccount:
    """An operating-system account that runs processes and owns files."""

    name: str
    uid: int
    gid: int

    @classmethod
    def named(cls, name: str) -> Self:
        """Create the object for the account with a given name.

        Raises:
            PreparationError: no account has this name.
        """
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            raise PreparationError(
                f"this machine has no account {name!r}",
                hint=f"make it (`useradd --system {name}`), install postgresql, or set SIRENA_ACCOUNT",
            ) from None
        return cls(name, entry.pw_uid, entry.pw_gid)

    @classmethod
    def of_this_process(cls) -> Self:
        """Create the object for the account of this process."""
        return cls(getpass.getuser(), os.getuid(), os.getgid())

    @classmethod
    def of_parts(cls, name: str) -> Self:
        """Create the object for a part's account: the named one if this process is root's, else that of this process.

        Raises:
            PreparationError: no account has this name.
        """
        return cls.named(name) if os.getuid() == 0 else cls.of_this_process()

    @classmethod
    def own_of_parts(cls, name: str) -> Self:
        """Create the object like `of_parts`, for an account that Sirena makes itself; the account may not exist yet."""
        try:
            return cls.of_parts(name)
        except PreparationError:
            return cls(name, _NOBODY_YET, _NOBODY_YET)

    @property
    def exists(self) -> bool:
        """True if the account exists; False if Sirena has still to make it."""
        return self.uid != _NOBODY_YET

    def make(self) -> None:
        """Create this account, as a system account without home, shell or password; only root can.

        Raises:
            PreparationError: the account cannot be created.
        """
        OsAccount.of_this_process().run(
            ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
             "--shell", "/usr/sbin/nologin", "--comment", "Sirena", self.name]
        )  # fmt: skip

    @property
    def is_other(self) -> bool:
        """True if this process runs as another account than this one."""
        return self.uid != os.getuid()

    def own_folder(self, folder: Path) -> Path:
        """Make a folder that only this account can enter, and return it."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.own(folder)
        return folder

    def own(self, path: Path | int) -> None:
        """Make this account the owner of a file or folder, or of an open file; files inside the folder keep theirs."""
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def give_group(self, path: Path) -> None:
        """Give a file or folder to this account's group; its owner stays."""
        os.chown(path, -1, self.gid)

    def run(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        stdin: str | None = None,
        seconds: float = _COMMAND_SECONDS,
    ) -> str:
        """Run a command as this account, and return its output; the command is killed if this process is killed.

        Raises:
            PreparationError: the command failed, with the last lines of its output; or the command did not end in time.
        """
        try:
            process = subprocess.run(  # noqa: S603 - our own command lines, no shell
                [*_dies_with_us(), *command],
                env={"PATH": search_path(), "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", **(environment or {})},
                input=stdin,
                capture_output=True,
                text=True,
                timeout=seconds,
                cwd="/",
                check=False,
                **self._identity(),
            )
        except subprocess.TimeoutExpired:
            # its text would hold the whole command line
            raise PreparationError(f"{Path(command[0]).name} did not end within {seconds:.0f} s") from None
        if process.returncode:
            lines = (process.stderr or process.stdout).strip().splitlines()
            message = "; ".join(lines[-2:]) or f"exit code {process.returncode}"
            raise PreparationError(f"{Path(command[0]).name} failed: {message}")
        return str(process.stdout)

    def start(self, command: Sequence[str], log: Path) -> "subprocess.Popen[bytes]":
        """Start a daemon as this account, in a separate session, with its output in a log.

        The daemon runs only during a preparation: it is killed if this process is killed, and so keeps no port.
        """
        with log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - our own command lines, no shell
                [*_dies_with_us(), *command],
                env={"PATH": search_path(), "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
                **self._identity(),
            )

    def first_closed(self, folders: Sequence[Path]) -> Path | None:
        """Return the first of these folders that this account may not enter; None if it may enter all of them."""
        try:
            position = self.run(["sh", "-c", _FIRST_CLOSED, "sh", *map(str, folders)])
        except (PreparationError, OSError):
            return folders[0]
        return folders[int(position)] if position else None

    def can_enter(self, folder: Path) -> bool:
        """Tell whether this account may reach a folder."""
        return self.first_closed([folder]) is None

    def can_read(self, file: Path) -> bool:
        """Tell whether this account may read a file."""
        return self._succeeds("test", "-r", str(file))

    def can_run(self, program: str) -> bool:
        """Tell whether this account may run a program."""
        return self._succeeds(program, "--version")

    def _succeeds(self, *command: str) -> bool:
        try:
            self.run(command)
        except (PreparationError, OSError):
            return False
        return True

    def _identity(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}


def _dies_with_us() -> tuple[str, ...]:
    """Return the words to put before a command so that the kernel kills it together with this process (`setpriv`)."""
    return ("setpriv", "--pdeathsig", "KILL", "--", "sh", "-c", _STARTER_LIVES, str(os.getpid()))


def search_path() -> str:
    """Return PATH with the folders of system daemons, which the PATH of an ordinary user often lacks."""
    return os.pathsep.join([os.environ.get("PATH", "/usr/bin:/bin"), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def nearest_folder(path: Path) -> Path:
    """Return a path if it exists, else the nearest folder above it that exists."""
    return next((folder for folder in (path, *path.parents) if folder.exists()), Path("/"))
