"""A port that somebody else listens on is named before anything starts."""

import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from sirena.host.accounts import PreparationError
from sirena.server.free_ports import require_free_ports
from sirena.server.parts.processes import free_port
from tests.production_machine import production_settings


def test_a_taken_port_is_named_with_its_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one of the ten that Ceph's daemons choose from; without Sirena's own Ceph those do not matter."""
    monkeypatch.setattr("sirena.server.free_ports._PATIENCE_SECONDS", 0.0)
    settings = production_settings(tmp_path)
    require_free_ports(settings)
    with socket.create_server(("127.0.0.1", settings.ceph_port + 3)):
        with pytest.raises(PreparationError, match=f"{settings.ceph_port + 3} .SIRENA_CEPH_PORT"):
            require_free_ports(settings)
        require_free_ports(settings.model_copy(update={"s3_endpoint_url": "https://minio.example"}))
    with (
        socket.create_server(("127.0.0.1", settings.port)),
        pytest.raises(PreparationError, match=f"{settings.port} .SIRENA_PORT"),
    ):
        require_free_ports(settings.model_copy(update={"profile": "embedded"}))


def test_a_port_that_is_given_back_is_awaited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts of a supervisor that was killed still end their requests; `sirena up` at once is not refused."""
    monkeypatch.setattr("sirena.server.free_ports._PATIENCE_SECONDS", 60.0)
    settings = production_settings(tmp_path)
    ending = socket.create_server(("127.0.0.1", settings.mlflow_port))
    timer = threading.Timer(0.5, ending.close)
    timer.start()
    require_free_ports(settings)
    timer.join()
    assert ending.fileno() == -1


def test_a_free_port_is_given_to_nobody_else() -> None:
    """Whoever asks the kernel for any port while our server is still being loaded gets another; the server gets it."""
    ours = {free_port() for _ in range(100)}
    with ExitStack() as others:
        asked = [others.enter_context(socket.socket()) for _ in range(800)]
        for one in asked:
            one.bind(("127.0.0.1", 0))
        assert ours.isdisjoint(one.getsockname()[1] for one in asked)
    for port in ours:
        socket.create_server(("127.0.0.1", port)).close()
