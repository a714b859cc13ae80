"""Reaching MLflow, or saying why not."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sirena.registry import connection
from sirena.registry.artifact_store import read_artifact
from sirena.registry.connection import (
    Registry,
    RegistryUnavailableError,
    connect,
    speaks_to_mlflow,
    without_credentials,
)
from sirena.registry.plots import confusion_plot
from sirena.registry.versions import Stage
from sirena.settings.catalogue import Settings
from tests.hanging_up import hanging_up


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A port that takes connections and never answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    yield listener
    listener.close()


def test_no_server_is_told_with_a_remedy(tmp_path: Path) -> None:
    """Nothing listens: the message names the URI, not the password in it, and what to do."""
    settings = Settings(home=tmp_path, tracking_uri="http://eva:geheim@127.0.0.1:9")
    with pytest.raises(RegistryUnavailableError, match=r"http://127\.0\.0\.1:9 does not answer") as told:
        connect(settings)
    assert "geheim" not in told.value.text + told.value.hint
    assert "MLFLOW_TRACKING_URI" in told.value.hint


def test_a_server_that_hangs_up_is_asked_once(tmp_path: Path) -> None:
    """Nobody waits for MLflow's own attempts, which come later and later."""
    with hanging_up() as there:
        with pytest.raises(RegistryUnavailableError, match="does not answer"):
            connect(Settings(home=tmp_path, tracking_uri=f"http://127.0.0.1:{there.port}"))
        assert there.attempts == 1


def test_a_server_that_hangs_is_given_up_within_seconds(
    tmp_path: Path, silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something listens and says nothing."""
    assert max(connection._PROBE_SECONDS) <= 10
    monkeypatch.setattr(connection, "_PROBE_SECONDS", (0.5, 0.5))
    settings = Settings(home=tmp_path, tracking_uri=f"http://127.0.0.1:{silent.getsockname()[1]}")
    with pytest.raises(RegistryUnavailableError):
        connect(settings)


class _WithoutObjects(BaseHTTPRequestHandler):
    """What MLflow answers for a file whose object is in no bucket, or whose bucket takes its keys no more."""

    def do_GET(self) -> None:
        """Fail, and say no more than MLflow does."""
        self.send_error(500)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_missing_object_is_told_as_one_and_not_as_mlflow_that_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow answers 500 and runs: the message leads to object store and backup; starting MLflow would not help."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with ThreadingHTTPServer(("127.0.0.1", 0), _WithoutObjects) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        uri = f"http://127.0.0.1:{server.server_port}"
        registry = Registry(Settings(home=tmp_path, tracking_uri=uri), None)
        location = f"{uri}/api/2.0/mlflow-artifacts/artifacts/1/models/m-1"
        try:
            with pytest.raises(RegistryUnavailableError, match="could not read or write a file of a model") as told:
                speaks_to_mlflow(read_artifact)(registry, location, "artifacts/release.json")
        finally:
            server.shutdown()
    assert "in no bucket any more" in told.value.hint
    assert "sirena up" not in told.value.hint
    assert told.value.exit_code == 1


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://eva:pa:ss@host:5000", "http://host:5000"),
        ("postgresql://user:secret@db/mlflow", "postgresql://db/mlflow"),
        ("sqlite:////var/lib/mlflow.db", "sqlite:////var/lib/mlflow.db"),
        ("https://host/a@b", "https://host/a@b"),
    ],
)
def test_messages_show_no_credentials(uri: str, shown: str) -> None:
    """User and password stay out; an at sign elsewhere stays in."""
    assert without_credentials(uri) == shown


def test_stages_are_named_in_any_case() -> None:
    """The command line says production, MLflow Production."""
    assert [Stage.named(text) for text in ("production", " Staging", "NONE", "archived")] == [
        Stage.PRODUCTION,
        Stage.STAGING,
        Stage.NONE,
        Stage.ARCHIVED,
    ]


def test_a_confusion_plot_is_a_small_png() -> None:
    """Also when a label does not occur."""
    image = confusion_plot("modelo_AMK_NM", [[10, 1, 0], [0, 0, 0], [2, 0, 7]])
    assert image.startswith(b"\x89PNG")
    assert len(image) < 60_000
