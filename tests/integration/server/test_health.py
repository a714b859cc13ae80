"""How a part is asked whether it is well: an answer cut short is none, and one look at a busy machine tells nothing."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest

from sirena.host.accounts import OsAccount, PreparationError
from sirena.server.backup import room
from sirena.server.object_store.store_room import StoreRoom
from sirena.server.parts.connections import PartConnection
from sirena.server.parts.part import Health, HttpHealth, Part, ServiceHealth
from sirena.server.supervision.health_report import health_of
from sirena.server.supervision.supervisor import Supervisor
from sirena.server.supervision.supervisor_socket import ProcessState
from sirena.settings.catalogue import Settings


@contextmanager
def saying(answer: bytes) -> Iterator[str]:
    """Run a server that says the same to everyone and ends the connection; yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_all() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(4096)
                    connection.sendall(answer)

        thread = threading.Thread(target=answer_all)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTT", b"HTTP/1.1 2", b"HTTP/1.1 503 x\r\nContent-Length: 100\r\n\r\n{", b"E\x00\x00\x00FATAL"],
    ids=["nothing", "half a word", "half a status", "half a body", "another protocol"],
)
def test_a_part_that_ends_in_the_middle_of_its_answer_is_not_well(answer: bytes) -> None:
    """Rather than end `sirena status` with an error nobody foresaw."""
    with saying(answer) as url:
        assert not HttpHealth(PartConnection(url)).is_well()
        service = ServiceHealth(PartConnection(url))
        assert (service.is_well(), service.remark()) == (False, "")


@dataclass(frozen=True)
class Hesitant(Health):
    """Answers the questions from the second on."""

    asked: list[int] = field(default_factory=list)
    answers_from: int = 2

    def is_well(self) -> bool:
        """Count."""
        self.asked.append(1)
        return len(self.asked) >= self.answers_from


class Knows(Supervisor):
    """A supervisor under which everything runs."""

    def states(self) -> dict[str, ProcessState]:
        """Say so."""
        return {"worker": ProcessState("worker", True, os.getpid(), "RUNNING", 7)}


@pytest.mark.parametrize(("answers_from", "state"), [(1, "well"), (2, "well"), (3, "not answering")])
def test_who_does_not_answer_is_asked_once_more(answers_from: int, state: str) -> None:
    """Who answers neither time does not answer."""
    part = Part("worker", ("true",), OsAccount.of_this_process(), Hesitant(answers_from=answers_from), "1")
    (found,) = health_of([part], Knows(Settings().home))
    assert (found.state, found.well) == (state, state == "well")


def test_the_memory_of_a_part_is_that_of_all_its_processes() -> None:
    """Of children too: what MLflow's and PostgreSQL's first process takes is the least."""
    part = Part("worker", ("true",), OsAccount.of_this_process(), Hesitant(answers_from=1), "1")
    supervisor = Knows(Settings().home)
    (alone,) = health_of([part], supervisor)
    code = "held = bytearray(b'x') * 2**27; print('held', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        (with_child,) = health_of([part], supervisor)
        child.communicate(b"\n")
    assert alone.memory_mib > 0
    assert with_child.memory_mib - alone.memory_mib > 100


def test_a_store_that_has_just_been_started_is_asked_until_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A restore asks it for room as soon as it runs."""
    answers = iter([PreparationError("is still starting"), PreparationError("is still starting"), StoreRoom(100, 0)])

    def ask(_: Settings) -> StoreRoom:
        answer = next(answers)
        if isinstance(answer, PreparationError):
            raise answer
        return cast("StoreRoom", answer)

    monkeypatch.setattr(room, "ask_room", ask)
    room.require_room(Settings(), {}, room.Purpose.RESTORE)
    assert next(answers, None) is None
