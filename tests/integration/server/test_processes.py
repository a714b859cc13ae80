"""Child processes of the embedded profile."""

import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from sirena.server.parts.connections import PartConnection
from sirena.server.parts.part import HttpHealth
from sirena.server.parts.processes import ChildProcess, ProcessStartError, free_port

_SLOW_SERVER = """
import sys, time, http.server as h
from pathlib import Path
while not Path("{go}").exists():
    time.sleep(0.02)
h.test(h.SimpleHTTPRequestHandler, port={port}, bind="127.0.0.1")
"""
"""Listens once it is let."""


def _server(tmp_path: Path, program: str) -> tuple[ChildProcess, str]:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "-c", program.format(port=port, go=tmp_path / "go")]
    return ChildProcess(
        "the server", command, health=HttpHealth(PartConnection(url)), log=tmp_path / "logs" / "server.log"
    ), url


def test_launch_does_not_wait_and_await_health_does(tmp_path: Path) -> None:
    """Other work can be done while a server comes up; leaving stops it."""
    server, url = _server(tmp_path, _SLOW_SERVER)
    server.launch()
    (tmp_path / "go").touch()
    with server, urllib.request.urlopen(url, timeout=60) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, timeout=60)


def test_a_server_that_ends_at_once_is_an_error_that_names_its_log(tmp_path: Path) -> None:
    """Nobody waits for a process that is dead: a wait of a day is over."""
    server, _ = _server(tmp_path, "raise SystemExit('{port} is no good')")
    with pytest.raises(ProcessStartError, match="the server ended at once") as caught:
        server.start(timeout_seconds=86_400)
    assert str(tmp_path / "logs" / "server.log") in str(caught.value.hint)


def test_a_server_that_does_not_answer_is_stopped(tmp_path: Path) -> None:
    """The limit holds, and nothing stays behind."""
    server, _ = _server(tmp_path, "import time; time.sleep(60) # {port}")
    with pytest.raises(ProcessStartError, match="did not answer within 0 s"):
        server.start(timeout_seconds=0.3)
    assert server.wait() == 0


def test_no_module_is_taken_from_the_folder_a_command_is_given_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be anybody's; what lies in it would run with our rights."""
    (tmp_path / "planted.py").write_text("")
    monkeypatch.chdir(tmp_path)
    server, _ = _server(tmp_path, "import planted; " + _SLOW_SERVER)
    with pytest.raises(ProcessStartError, match="ended at once"):
        server.start()
    assert "No module named 'planted'" in (tmp_path / "logs" / "server.log").read_text()
