"""Training, promoting and overriding through the whole entry: real NGINX, access service and MLflow, real clients."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import sirena
from sirena.access.routes import body_route_locations
from sirena.registry.activation import served_periods
from sirena.registry.connection import Registry, connect
from sirena.registry.stages import promotions
from sirena.registry.versions import Stage, find_version
from sirena.server.parts.connections import PartConnections
from sirena.server.tls.certificates import authority_file
from sirena.settings.catalogue import Settings
from sirena.training.asking_apart import NetworkAsker
from tests.access_client import Entry
from tests.integration.registry.house import House, log_trained, standing, trained_on
from tests.integration.registry.registry_models import run
from tests.mlflow_tls_listener import mlflow_tls_listener
from tests.prepared_interpreter import run_prepared
from tests.production_machine import entry_alone

pytestmark = pytest.mark.slow


@dataclass
class Town:
    """The house behind NGINX, and whoever stands before it."""

    house: House
    settings: Settings
    monkeypatch: pytest.MonkeyPatch
    home: Path

    def become(self, who: str) -> Registry:
        """Set the environment as somebody has it at their own desk."""
        for name, value in {
            "MLFLOW_TRACKING_URI": f"https://localhost:{self.settings.https_port}",
            "MLFLOW_TRACKING_TOKEN": self.house.entry.token(who).removeprefix("Bearer "),
            "REQUESTS_CA_BUNDLE": str(authority_file(self.settings)),
            "SIRENA_HOME": str(self.home / who),
            "SIRENA_PROFILE": "production",
            "SIRENA_USER": who,
        }.items():
            self.monkeypatch.setenv(name, value)
        return connect(Settings())


@pytest.fixture(scope="module")
def nginx(tracking_uri: str) -> Iterator[Settings]:
    """The shipped configuration before the MLflow of the tests."""
    port = urlsplit(tracking_uri).port
    assert port
    with entry_alone(body_route_locations(), rate=1000) as settings, mlflow_tls_listener(settings, port):
        yield settings


@pytest.fixture
def town(
    nginx: Settings, registry: Registry, asker: NetworkAsker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Town]:
    """Everything standing."""
    with standing(registry, asker, tmp_path / "entry", path=PartConnections(nginx).socket_of("access")) as house:
        yield Town(house, nginx, monkeypatch, tmp_path)


STRANGER = """
import sys, mlflow, requests
class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return model_input
mlflow.set_experiment("strangers")
with mlflow.start_run():
    mlflow.log_param("rate", 1)
    logged = mlflow.pyfunc.log_model(
        name="echo", python_model=Echo(), registered_model_name="modelo_FOX_NM", pip_requirements=["pandas"]
    )
print("version", logged.registered_model_version)
try:
    mlflow.MlflowClient().log_model_artifact(logged.model_id, sys.executable)
except requests.HTTPError as error:
    sys.exit(f"refused: {error.response.status_code}")
"""


def apart(*command: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in a process of its own: MLflow keeps its server's address for a whole process."""
    environment = {**os.environ, "PYTHONPATH": str(Path(sirena.__file__).parent.parent), "PYTHONWARNINGS": "ignore"}
    return run_prepared([sys.executable, *command], env=environment, timeout=300)


def test_mlflows_own_client_logs_and_registers_through_the_entry(town: Town) -> None:
    """A scientist's `log_model` with a name ends in a version of that author; then its files stay as they are."""
    town.become("carl")
    ended = apart("-c", STRANGER)
    assert "refused: 403" in ended.stderr, ended.stderr
    number = ended.stdout.split()[ended.stdout.split().index("version") + 1]
    assert find_version(town.house.registry, f"modelo_FOX_NM/{number}").author == "carl"


def test_sirena_registers_promotes_and_overrides_through_the_entry(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each as who may; the entry keeps history and ledger; refusals end with the exit code of a gate."""
    desk = town.become("ana")
    assert desk.signed_in_as == "ana"
    right, wrong = (log_trained(desk, trained_on(answer), author="ana") for answer in (True, False))

    assert run(town.monkeypatch, capsys, "promote", str(right), "--to", "production")[0] == 3
    town.become("berta")
    assert run(town.monkeypatch, capsys, "promote", str(wrong), "--to", "production")[0] == 3
    code, said, error = run(town.monkeypatch, capsys, "promote", str(right), "--to", "production")
    assert (code, said) == (0, f"{right} is in Production\n"), error
    again = run(town.monkeypatch, capsys, "promote", str(right), "--to", "production")
    assert again[1] == f"{right} is in Production already\n", again
    code, said, error = run(
        town.monkeypatch, capsys, "promote", str(wrong), "--to", "production", "--override", "accepted by name"
    )
    assert code == 0, error
    town.become("carl")
    code, _, error = run(
        town.monkeypatch, capsys, "promote", str(right), "--to", "production", "--override", "I want it"
    )
    assert code != 0, error

    found = find_version(town.house.registry, str(wrong))
    assert found.stage is Stage.PRODUCTION
    assert [(one.by, one.override) for one in promotions(found)] == [("berta", "accepted by name")]
    assert [facts["reason"] for facts in town.house.entry.told("overridden")] == ["accepted by name"]
    assert all(len(str(facts["evidence"])) == 64 for facts in done(town.house.entry, "promoted"))


def test_releases_are_activated_and_rolled_back_through_the_entry(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    """By `sirena release`, by an approver; the entry's history says by whom and which way."""
    desk = town.become("ana")
    right, wrong = (log_trained(desk, trained_on(answer), author="ana") for answer in (True, False))
    for version in (right, wrong):
        assert run(town.monkeypatch, capsys, "release", "create", str(version))[0] == 0
    town.become("berta")
    for arguments in (
        ("release", "activate", "1"),
        ("release", "activate", "2", "--override", "accepted by name"),
        ("release", "rollback"),
    ):
        code, _, error = run(town.monkeypatch, capsys, *arguments)
        assert code == 0, error
    assert [(one.release, one.by, one.action, one.override) for one in served_periods(town.house.registry)] == [
        (1, "berta", "activate", ""),
        (2, "berta", "activate", "accepted by name"),
        (1, "berta", "rollback", ""),
    ]
    assert len(done(town.house.entry, "activated")) == 2
    assert len(done(town.house.entry, "rolled_back")) == 1


def test_a_certificate_is_renewed_through_the_entry(town: Town) -> None:
    """Its author certifies a version again, and it passes with the new certificate."""
    desk = town.become("ana")
    right = log_trained(desk, trained_on(True), author="ana")
    certified = apart("-m", "sirena.cli", "certify", str(right))
    assert certified.returncode == 0, certified.stderr
    assert find_version(desk, str(right)).tags["sirena.certificate"].startswith("certificates/")
    town.become("berta")
    promoted = apart("-m", "sirena.cli", "promote", str(right), "--to", "staging")
    assert promoted.returncode == 0, promoted.stderr


def done(entry: Entry, event: str) -> list[dict[str, object]]:
    """Return what was recorded as done under a name."""
    return [dict(facts) for facts in entry.told(event) if facts["outcome"] == "done"]
