"""Behind the entry one acts as the account of one's token; an entry's refusal is a refusal."""

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.exceptions import RestException

from sirena.domain.errors import GateError, UsageError
from sirena.registry.connection import (
    Registry,
    RegistryRefusedError,
    RegistryUnavailableError,
    connect,
    speaks_to_mlflow,
)
from sirena.server.tls.certificates import authority_file, self_made
from sirena.settings.catalogue import Settings


class EntryOf(http.server.BaseHTTPRequestHandler):
    """Knows one token, and has one experiment."""

    def do_GET(self) -> None:
        """Say who asks, as the access service does, or which experiment there is."""
        known = self.headers.get("Authorization") == "Bearer annas"
        if not known:
            return self._say(401, {"error_code": "UNAUTHENTICATED", "message": "sign in first"})
        if self.path == "/auth/me":
            return self._say(200, {"name": "anna"})
        experiment = {"experiment_id": "7", "name": "x", "lifecycle_stage": "active"}
        return self._say(200, {"experiment": experiment})

    def _say(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of a workstation with anna's token, and TLS by an authority it trusts."""
    server_side = Settings(home=tmp_path / "server", server_name="localhost")
    paths = self_made(server_side)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paths.chain, paths.key)
    server = http.server.HTTPServer(("127.0.0.1", 0), EntryOf)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "annas")
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(authority_file(server_side)))
    yield Settings(home=tmp_path / "workstation", tracking_uri=f"https://localhost:{server.server_address[1]}")
    server.shutdown()
    thread.join()
    server.server_close()


def test_one_acts_as_the_account_of_the_token_under_the_rules_of_production(entry: Settings) -> None:
    """Whatever the workstation calls its user and its profile."""
    settings = connect(entry).settings
    assert (settings.effective_user, settings.profile) == ("anna", "production")
    assert connect(entry.model_copy(update={"user": "anna"})).settings.user == "anna"


def test_another_name_than_the_tokens_is_refused(entry: Settings) -> None:
    """Not overwritten in silence: who set it meant something by it."""
    with pytest.raises(UsageError, match="'eva', and the token belongs to 'anna'"):
        connect(entry.model_copy(update={"user": "eva"}))


def test_a_token_nobody_knows_is_a_refusal_with_its_remedy(entry: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 3, and not the long wait for a server that is there."""
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "another")
    with pytest.raises(RegistryRefusedError, match="does not know who asks") as told:
        connect(entry)
    assert told.value.exit_code == GateError.exit_code
    assert "MLFLOW_TRACKING_TOKEN" in told.value.hint


def test_a_certificate_nobody_vouched_for_is_told_as_such(entry: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to trust it."""
    monkeypatch.delenv("MLFLOW_TRACKING_SERVER_CERT_PATH")
    with pytest.raises(RegistryUnavailableError, match="is not trusted here") as told:
        connect(entry)
    assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in told.value.hint


def test_what_the_entry_refuses_later_is_a_refusal_too(entry: Settings) -> None:
    """In the entry's words, by which MLflow's client tells them."""

    @speaks_to_mlflow
    def refused(_: Registry) -> None:
        raise RestException({"error_code": "PERMISSION_DENIED", "message": "carl may not do this"})

    with pytest.raises(RegistryRefusedError, match=r"refused: carl may not do this$"):
        refused(connect(entry))
