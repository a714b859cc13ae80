"""Which process listens on which TCP port, as far as this account can read /proc.

The sockets are read here and not by `psutil.net_connections`, which does not tell the account of a socket whose process
cannot be seen, and of the processes that share a socket names the one that began last.
"""

import contextlib
import pwd
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

_LISTENING: Final = "0A"
_TABLES: Final = ("/proc/net/tcp", "/proc/net/tcp6")


@dataclass(frozen=True)
class Listener:
    """A process that listens on a port; without rights over the process only its account is known, or nothing."""

    account: str = ""
    process_id: int = 0
    name: str = ""
    """Short name of the program; its command line is not shown, since it may hold secrets."""
    unit: str = ""
    """systemd unit of the process; empty when it has none."""
    ancestors: tuple[int, ...] = field(default=())
    """Ids of the process and of the processes that it descends from."""

    def __str__(self) -> str:
        if not self.account:
            return "a program that cannot be seen from here"
        if not self.process_id:
            return f"a program of the account {self.account}"
        return f"{self.name} (process {self.process_id}, account {self.account})"


def listeners() -> dict[int, Listener]:
    """Return the processes that listen on TCP ports, by port."""
    sockets = dict(_listening_sockets())
    processes = _processes_of(set(sockets))
    listener_of_port: dict[int, Listener] = {}
    for inode, (port, account) in sockets.items():
        process_id = processes.get(inode, 0)
        listener = _listener(account, process_id) if process_id else Listener(account)
        if port not in listener_of_port or process_id:
            listener_of_port[port] = listener
    return listener_of_port


def _listening_sockets() -> Iterator[tuple[str, tuple[int, str]]]:
    """Yield inode, port and account of each listening socket."""
    for table in _TABLES:
        with contextlib.suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENING:
                    yield fields[9], (int(fields[1].rpartition(":")[2], 16), _account(int(fields[7])))


def _processes_of(inodes: set[str]) -> dict[str, int]:
    """Return for each socket the process with the lowest id that has it open, which usually opened it."""
    inode_of_link = {f"socket:[{inode}]": inode for inode in inodes}
    process_of_socket: dict[str, int] = {}
    for process_id in psutil.pids():
        with contextlib.suppress(OSError):
            for descriptor in Path(f"/proc/{process_id}/fd").iterdir():
                with contextlib.suppress(OSError):
                    inode = inode_of_link.get(str(descriptor.readlink()))
                    if inode is not None:
                        process_of_socket.setdefault(inode, process_id)
    return process_of_socket


def _listener(account: str, process_id: int) -> Listener:
    folder = Path("/proc") / str(process_id)
    name = unit = ""
    with contextlib.suppress(OSError):
        name = (folder / "comm").read_text(encoding="utf-8", errors="replace").strip()
        groups = (folder / "cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
        last = [line.rpartition("/")[2] for line in groups]
        unit = next((word for word in last if word.endswith(".service") and not word.startswith("user@")), "")
    return Listener(account, process_id, name, unit, _ancestors(process_id))


def _ancestors(process_id: int) -> tuple[int, ...]:
    try:
        return (process_id, *(process.pid for process in psutil.Process(process_id).parents()))
    except psutil.Error:
        return (process_id,)


def _account(user_id: int) -> str:
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)
