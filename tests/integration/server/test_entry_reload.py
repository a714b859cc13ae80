"""NGINX takes up a changed configuration: when a start has ended it is in force, and what hinders it is told."""

import contextlib
import os
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sirena.host.accounts import PreparationError
from sirena.server.entry import reload as entry_reload
from sirena.server.production_stack import ProductionStack
from sirena.server.tls.certificates import authority_file
from sirena.settings.catalogue import Settings
from tests.hostile_client import HostileClient
from tests.integration.server.test_entry import GOOD, RunningEntry
from tests.production_machine import Decision, Recorder, entry_alone, entry_of, mlflow_context

pytestmark = pytest.mark.slow

_SMALL, _LARGE = 1_000, 2**20


@dataclass(frozen=True)
class Changing:
    """An entry whose settings change."""

    settings: Settings

    def take_up(self, **changes: object) -> None:
        """Let it have other settings, as `sirena up` does."""
        settings = self.settings.model_copy(update=changes)
        entry_of(settings).write()
        entry_reload.take_up(entry_of(self.settings), is_coming=self._is_coming)

    def _is_coming(self) -> bool:
        state = ProductionStack(self.settings).supervisor.states().get("entry")
        return state is not None and state.state in ("STARTING", "RUNNING", "BACKOFF")


@pytest.fixture(scope="module")
def changing() -> Iterator[Changing]:
    """NGINX alone."""
    with entry_alone([], max_upload=_LARGE, rate=1000) as settings:
        yield Changing(settings)


def test_every_request_after_a_change_meets_the_new_configuration(changing: Changing) -> None:
    """Many connections at once, again and again: none is taken by a worker of before."""
    body = b"x" * (_SMALL + 1)
    with Recorder(changing.settings, "mlflow") as mlflow, Decision(changing.settings, "access") as access:
        entry = RunningEntry(changing.settings, mlflow, access)
        for size, status in [(_SMALL, 413), (_LARGE, 200)] * 3:
            changing.take_up(max_upload=size)
            assert {entry.ask("/x", "POST", GOOD, body).status for _ in range(10)} == {status}


def test_an_entry_that_ends_at_the_same_moment_comes_back_with_the_new_configuration(changing: Changing) -> None:
    """Its note of its process is stale or gone for a moment: nothing to fail a start for."""
    stack = ProductionStack(changing.settings)
    entry = entry_of(changing.settings)
    for size, status in [(_SMALL, 413), (_LARGE, 200)]:
        process_id = stack.supervisor.states()["entry"].process_id
        assert process_id
        os.kill(process_id, signal.SIGKILL)
        changing.take_up(max_upload=size)
        stack.wait([entry.part()], lambda _: None)
        with Recorder(changing.settings, "mlflow") as mlflow, Decision(changing.settings, "access") as access:
            running_entry = RunningEntry(changing.settings, mlflow, access)
            assert running_entry.ask("/x", "POST", GOOD, b"x" * (_SMALL + 1)).status == status


def test_a_configuration_that_cannot_be_taken_up_is_told(changing: Changing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program listens on the new port: NGINX finds the files in order, and goes on with the former ones."""
    monkeypatch.setattr(entry_reload, "_PATIENCE_SECONDS", 8.0)
    taken = changing.settings.port + 30
    with (
        socket.create_server(("127.0.0.1", taken)),
        pytest.raises(PreparationError, match="goes on with its former configuration"),
    ):
        changing.take_up(port=taken)
    changing.take_up()


def test_an_entry_that_does_not_run_reads_its_configuration_when_it_starts(changing: Changing) -> None:
    """As `sirena certificate renew` while everything is down."""
    entry_reload.take_up(entry_of(changing.settings), is_coming=lambda: False)


def test_the_entry_lets_go_of_an_idle_connection_before_the_parts_do(changing: Changing) -> None:
    """They end it after five seconds, and a POST sent at that very moment would be answered with 502.

    The client sends half of a second request, which the entry awaits for ten seconds: the same process of NGINX has let
    go of the part's connection before it lets go of the client's.
    """
    idle: list[ssl.SSLSocket] = []

    def answer_once(listener: socket.socket) -> None:
        plain, _ = listener.accept()
        connection = mlflow_context(changing.settings).wrap_socket(plain, server_side=True)
        idle.append(connection)
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    client = HostileClient(changing.settings.https_port, authority_file(changing.settings))
    head = b"GET /x HTTP/1.1\r\nHost: localhost\r\n"
    with (
        socket.create_server(("127.0.0.1", changing.settings.mlflow_port)) as listener,
        Decision(changing.settings, "access"),
        client.connect() as asking,
    ):
        server = threading.Thread(target=answer_once, args=(listener,))
        server.start()
        asking.settimeout(240)
        asking.sendall(head + b"Authorization: Bearer good\r\n\r\n")
        assert asking.recv(65536).startswith(b"HTTP/1.1 200 ")
        server.join()
        asking.sendall(head)
        with contextlib.suppress(ConnectionResetError, ssl.SSLError):
            while asking.recv(65536):
                pass
    with idle[0] as connection:
        connection.setblocking(False)
        assert connection.recv(65536) == b"", "the part's connection is still open"
