"""What the pages of a server are given: who answers, and the desk of the access service over a real socket."""

import json
import socket
import threading
from pathlib import Path

import pytest

from sirena.access.pages_desk import create_desk
from sirena.access.sessions import Sessions
from sirena.access.store import open_store
from sirena.acts.local_rules import local_rules_of
from sirena.cli.pages_answers import AnswersNow, EditionsNow
from sirena.cli.pages_desk import PagesDesk
from sirena.domain.errors import SirenaError
from sirena.ledger.catalogue import FileOpened
from sirena.ledger.event import Event
from sirena.panel.compiled import Panel
from sirena.server.parts.connections import PartConnection
from sirena.serving.holder import PanelHolder
from sirena.serving.server import bind_path, serve_beside
from sirena.serving.source import FilePanelSource
from sirena.settings.catalogue import Settings
from sirena.web.records import UnrecordedError
from tests.panels import cut_table


def test_the_editions_answer_until_a_release_does_and_then_each_that_is_activated(tmp_path: Path) -> None:
    """The pages never wait for the first release, and take up another without a new start."""
    file = tmp_path / "panel.json"
    holder = PanelHolder(FilePanelSource(file))
    settings = Settings(home=tmp_path)
    now = AnswersNow(holder, EditionsNow(settings, local_rules_of(settings)))
    with pytest.raises(SirenaError):
        holder.refresh()
    first = now()
    assert not first.by_models
    assert now() is first
    for release in ("panel_SIR/1", "panel_SIR/12"):
        provenance = {"AMK_NM": {"edition": "CLSI 2026", "model": "modelo_AMK_NM", "version": "1"}}
        panel = Panel({"AMK_NM": cut_table("AMK_NM", {"eco": (2, 4)})}, provenance, release)
        file.write_text(json.dumps(panel.to_json()))
        holder.refresh()
        answers = now()
        assert (answers.by_models, answers.name) == (True, f"release {release.rpartition('/')[2]} · CLSI 2026")
        assert now() is answers


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
