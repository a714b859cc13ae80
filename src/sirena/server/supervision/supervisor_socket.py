"""Calling supervisord by XML-RPC over its Unix socket, which only its own account can use."""

import http.client
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, cast

from sirena.host.accounts import PreparationError
from sirena.host.socket_connection import SocketConnection

_ANSWER_SECONDS: Final = 120.0
"""Longest time for an answer: stopping a part waits until its requests are done."""


@dataclass(frozen=True)
class ProcessState:
    """The state of a process, as the supervisor knows it."""

    name: str
    running: bool
    process_id: int
    state: str
    """State in the supervisor's words: RUNNING, STARTING, STOPPING, BACKOFF, FATAL, EXITED, STOPPED."""
    seconds: int
    """Seconds since the process started."""

    @classmethod
    def of_item(cls, item: dict[str, Any]) -> Self:
        """Create the state from an item of the supervisor's answer."""
        running = item["statename"] == "RUNNING"
        seconds = max(0, item["now"] - item["start"]) if running else 0
        return cls(item["name"], running, item["pid"], item["statename"], seconds)


class NoAnswerError(PreparationError):
    """The supervisor does not answer at its socket, or refuses."""

    fault: int = 0
    """The supervisor's number for a refusal (`supervisor.xmlrpc.Faults`); 0 when it does not answer."""


def ask(path: Path, method: str, *arguments: object) -> object:
    """Call a method of the supervisor's interface and return its answer.

    Args:
        path: path of the supervisor's socket.
        method: name of the method, without ``supervisor.``.
        arguments: arguments of the method.

    Raises:
        NoAnswerError: the supervisor does not run, does not answer, or refuses.
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
        """Connect to the supervisor's socket."""
        connection = SocketConnection("supervisor", self._path, timeout=_ANSWER_SECONDS)
        # where the base class looks for what it has to close
        self._connection = (cast("str", host), connection)
        return connection
