"""The desk of the access service, which the pages of a server ask over a real socket."""

import socket
import threading
from pathlib import Path

import pytest

from sirena.access.pages_desk import create_desk
from sirena.access.sessions import Sessions
from sirena.access.store import open_store
from sirena.cli.pages_desk import PagesDesk
from sirena.ledger.catalogue import FileOpened
from sirena.ledger.event import Event
from sirena.server.parts.connections import PartConnection
from sirena.serving.server import bind_path, serve_beside
from sirena.web.records import UnrecordedError


def test_the_pages_tell_and_ask_at_the_desk(tmp_path: Path) -> None:
    """Over a socket, served beside the access service's own; away, it is said that nothing is on record."""
    events: list[Event] = []
    sessions = Sessions(open_store(f"sqlite:///{tmp_path / 'access.db'}"), hours=1)
    path = tmp_path / "socket"
    desk = PagesDesk(PartConnection("http://desk", socket=path))
    with serve_beside(create_desk(sessions, events.append), bind_path(path)):
        desk.record("file_opened", {"who": "clara", "origin": "192.0.2.7", "rows": 3})
        assert desk.open_sessions() == frozenset()
        with pytest.raises(UnrecordedError):
            desk.record("activated", {"who": "clara"})
    [opened] = events
    assert isinstance(opened, FileOpened)
    assert (opened.who, opened.origin, opened.rows) == ("clara", "192.0.2.7", 3)
    assert not [thread for thread in threading.enumerate() if thread.name == "sirena-beside"]
    for ask in (desk.open_sessions, lambda: desk.record("file_opened", {"who": "clara"})):
        with pytest.raises(UnrecordedError):
            ask()


def test_a_desk_that_answers_nonsense_is_taken_to_be_away(tmp_path: Path) -> None:
    """The files of nobody are forgotten because of it."""
    path = tmp_path / "socket"
    with bind_path(path) as bound:

        def nonsense() -> None:
            connection, _ = bound.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{{{")
                connection.shutdown(socket.SHUT_WR)

        server = threading.Thread(target=nonsense)
        server.start()
        with pytest.raises(UnrecordedError):
            PagesDesk(PartConnection("http://desk", socket=path)).open_sessions()
        server.join()
