"""A part that hangs is neither dead nor well: it is told, and the next `up` starts it anew."""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from sirena.host.accounts import OsAccount
from sirena.server.embedded_stack import EmbeddedStack
from sirena.server.parts import part as parts_module
from sirena.server.parts.connections import PartConnection
from sirena.server.parts.part import GreetingHealth, Health, HttpHealth, Part, QuestionHealth, RunningHealth
from sirena.server.parts.processes import free_port
from sirena.settings.catalogue import Settings

GREETING = b"ceph v2\n"


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up an answer after a second, not after three: what hangs is asked a dozen times."""
    monkeypatch.setattr(parts_module, "_ANSWER_SECONDS", 1.0)


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _asked(health: Health, listening: socket.socket, said: bytes) -> bool:
    """Ask a part that says something to whoever connects."""

    def answer() -> None:
        connection = listening.accept()[0]
        # who was answered may be gone
        with connection, suppress(ConnectionError):
            connection.sendall(said)
            connection.recv(100)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        return health.is_well()
    finally:
        thread.join()


def test_a_port_that_only_the_kernel_opens_is_not_well() -> None:
    """A program that was stopped still has its port; one that greets is asked for its greeting."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        health = GreetingHealth(listening.getsockname()[1], GREETING)
        assert _asked(health, listening, GREETING + b"and more")
        assert not _asked(health, listening, b"HTTP/1.1 400")
        assert not health.is_well()


def test_a_socket_that_answers_no_question_is_not_well(tmp_path: Path) -> None:
    """Nobody listens, or somebody who says nothing."""
    health = QuestionHealth(tmp_path / "part.sock", b'{"prefix": "version"}\0')
    assert not health.is_well()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(health.path))
        listening.listen()
        assert _asked(health, listening, b"\0\0\0\7")
        assert not health.is_well()


def test_up_starts_anew_what_hangs_and_nothing_else(tmp_path: Path) -> None:
    """With the real supervisor: one of two parts is stopped by a signal, has its port and does not answer."""
    ports = {name: free_port() for name in ("hanging", "busy")}
    parts = [
        Part(
            name,
            (sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"),
            OsAccount.of_this_process(),
            HttpHealth(PartConnection(f"http://127.0.0.1:{port}")),
            "1",
            port=port,
            stop_seconds=1,
            ready_seconds=10.0,
        )
        for name, port in ports.items()
    ]
    stack = EmbeddedStack(Settings(home=tmp_path, port=free_port(), mlflow_port=free_port()))
    told: list[str] = []
    try:
        stack.bring_up(told.append, parts)
        before = stack.supervisor.states()
        os.kill(before["hanging"].process_id, signal.SIGSTOP)
        assert [stack.is_well(part) for part in parts] == [False, True]
        _await(lambda: stack.supervisor.states()["hanging"].seconds > parts[0].ready_seconds)
        stack.bring_up(told.append, parts)
        after = stack.supervisor.states()
        assert [stack.is_well(part) for part in parts] == [True, True]
    finally:
        stack.take_down()
    assert "hanging hangs, and is started anew" in told
    assert after["busy"].process_id == before["busy"].process_id


def test_up_does_not_wait_for_the_pause_of_a_part_that_kept_failing(tmp_path: Path) -> None:
    """With the real supervisor: each pause is a second longer, minutes after a day; then the cause is mended."""
    mended, tries = tmp_path / "mended", tmp_path / "tries"
    code = f"open({str(tries)!r}, 'a').write('x'); import os, time; os.path.exists({str(mended)!r}) and time.sleep(99)"
    part = Part("worker", (sys.executable, "-c", code), OsAccount.of_this_process(), RunningHealth(), "1")
    stack = EmbeddedStack(Settings(home=tmp_path, port=free_port(), mlflow_port=free_port()))
    try:
        stack.supervisor.write([part])
        stack.supervisor.start()
        _await(lambda: tries.exists() and tries.stat().st_size >= 3)
        _await(lambda: stack.supervisor.states()["worker"].state == "BACKOFF")
        mended.touch()
        awaited: list[str] = []
        stack.bring_up(lambda _: awaited.append(stack.supervisor.states()["worker"].state), [part])
    finally:
        stack.take_down()
    assert set(awaited) <= {"STARTING", "RUNNING"}
