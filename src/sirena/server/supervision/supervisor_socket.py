"""Talking to supervisord: XML-RPC over the Unix socket that only its own account can open."""

import http.client
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, cast

from sirena.host.accounts import PreparationError
from sirena.host.socket_connection import SocketConnection

_ANSWER_SECONDS: Final = 120.0
"""Longest that an answer takes: ending a part waits until it has drained."""


@dataclass(frozen=True)
class ProcessState:
    """What the supervisor knows of one process."""

    name: str
    running: bool
    process_id: int
    state: str
    """The supervisor's own word: RUNNING, STARTING, STOPPING, BACKOFF, FATAL, EXITED, STOPPED."""
    seconds: int
    """How long it has been running."""

    @classmethod
    def told(cls, item: dict[str, Any]) -> Self:
        """Read an item of its answer."""
        running = item["statename"] == "RUNNING"
        seconds = max(0, item["now"] - item["start"]) if running else 0
        return cls(item["name"], running, item["pid"], item["statename"], seconds)


class NoAnswerError(PreparationError):
    """Nobody answers at the socket, or the supervisor refuses."""

    fault: int = 0
    """The supervisor's own number of a refusal (`supervisor.xmlrpc.Faults`); 0 when nobody answers."""


def ask(path: Path, method: str, *arguments: object) -> object:
    """Call a method of the supervisor's interface and return its answer.

    Args:
        path: its socket.
        method: name without ``supervisor.``.
        arguments: what the method takes.

    Raises:
        NoAnswerError: it does not run, does not answer or refuses.
    """
    try:
        with xmlrpc.client.ServerProxy("http://supervisor", transport=_SocketTransport(str(path))) as proxy:
            return cast("object", getattr(proxy.supervisor, method)(*arguments))
    except (OSError, http.client.HTTPException, xmlrpc.client.Error) as error:
        failure = NoAnswerError(
            f"the supervisor does not answer ({method}: {error})", hint=f"read {path.with_name('supervisord.log')}"
        )
        failure.fault = error.faultCode if isinstance(error, xmlrpc.client.Fault) else 0
        raise failure from error


class _SocketTransport(xmlrpc.client.Transport):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: object) -> SocketConnection:
        """Open the supervisor's socket."""
        connection = SocketConnection("supervisor", self._path, timeout=_ANSWER_SECONDS)
        # where the base class looks for what it has to close
        self._connection = (cast("str", host), connection)
        return connection
