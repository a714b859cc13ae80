"""`sirena doctor` as an operator runs it: exit code, tables, JSON, and nothing made."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from sirena.access.store import ACCESS_SCHEMA, open_store
from tests.command_line import run_command
from tests.production_machine import private_home, production_settings


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home that is not there yet, with ports of its own; pytest's own folders have paths too long for a socket."""
    with private_home() as folder:
        home = folder / "home"
        ports = production_settings(home)
        monkeypatch.setenv("SIRENA_HOME", str(home))
        monkeypatch.setenv("SIRENA_PORT", str(ports.port))
        monkeypatch.setenv("SIRENA_MLFLOW_PORT", str(ports.mlflow_port))
        yield home


def test_one_persons_machine_is_well_before_anything_exists(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, a section each, and nothing is made."""
    ended = run_command(capfd, ["doctor"])
    assert (ended.code, ended.errors) == (0, "")
    for title in ("Settings", "Machine", "Programs", "Accounts and folders", "Ports", "Stack"):
        assert f"{title}\n  of" in ended.output
    assert "never brought up here; `sirena up` does" in ended.output
    assert f"(embedded, {home})" in ended.output
    assert not home.exists()


def test_what_must_be_mended_comes_with_its_remedy_and_exit_code_1(
    home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port that is taken, told to a person and to a machine; a misspelt setting is named with the right one."""
    port = int(production_settings(home).mlflow_port)
    monkeypatch.setenv("SIRENA_MLFLOW_PORT", str(port))
    monkeypatch.setenv("SIRENA_OVERLY", "x")
    with socket.create_server(("127.0.0.1", port)):
        ended = run_command(capfd, ["doctor"])
        document = json.loads(run_command(capfd, ["doctor", "--json"]).output)
    assert ended.code == 1
    assert "What to do\n  for" in ended.output
    assert "choose another port with SIRENA_MLFLOW_PORT" in ended.output
    assert (document["verdict"], document["profile"], document["home"]) == ("wrong", "embedded", str(home))
    wrong = {one["name"]: one for one in document["findings"] if one["verdict"] == "wrong"}
    assert set(wrong) == {"settings", f"{port} (SIRENA_MLFLOW_PORT)"}
    assert "SIRENA_OVERLAY is" in wrong["settings"]["told"]
    assert all(one["remedy"] for one in wrong.values())
    assert set(document["findings"][0]) == {"area", "name", "verdict", "told", "remedy"}


def test_a_setting_that_cannot_be_is_a_finding(
    home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows what to look at then, and it is said as a finding, also to machines."""
    assert not home.exists()
    monkeypatch.setenv("SIRENA_PORT", "70000")
    ended = run_command(capfd, ["doctor", "--json"])
    document = json.loads(ended.output)
    assert ended.code == 1
    assert [(one["area"], one["verdict"]) for one in document["findings"]] == [("Settings", "wrong")]
    assert "SIRENA_PORT" in document["findings"][0]["told"]


def test_no_secret_is_told(home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither keys nor passwords of addresses, whatever is wrong with what they open."""
    home.mkdir()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "word-one",
        "AWS_SECRET_ACCESS_KEY": "word-two",
        "SIRENA_OIDC_CLIENT_SECRET": "word-three",
        "SIRENA_DATABASE_URL": "postgresql://sirena:word-four@127.0.0.1:9/sirena",
        "SIRENA_OIDC_ISSUER": "http://127.0.0.1:9",
        "SIRENA_OIDC_CLIENT_ID": "sirena",
        "SIRENA_OIDC_ROLES": "PROA=viewer",
        "MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    for profile in ("embedded", "production"):
        ended = run_command(capfd, ["doctor", "--profile", profile])
        assert "word-" not in ended.output + ended.errors
    assert "the S3 endpoint http://127.0.0.1:9 does not answer" in ended.output
    assert "provider_away" in ended.output


def test_tables_of_a_later_sirena_are_told(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """With what can be done; tables as needed are well."""
    home.mkdir()
    url = f"sqlite:///{home / 'sirena.db'}"
    open_store(url).dispose()
    assert "Databases" in run_command(capfd, ["doctor"]).output
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {ACCESS_SCHEMA.version_table} SET version_num = '9999'"))
    engine.dispose()
    ended = run_command(capfd, ["doctor"])
    assert ended.code == 1
    assert "install the newer Sirena that made them" in ended.output
