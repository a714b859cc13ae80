"""Answering with what the registry holds: files and the service, with MLflow up and down."""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from sirena.ledger.store import open_ledger
from sirena.registry.connection import Registry, connect
from sirena.registry.mlflow_quietly import mlflow, undisturbed
from sirena.registry.models import log_model_version
from sirena.registry.releases import create_release
from sirena.registry.versions import find_version
from sirena.server.parts.processes import ChildProcess, free_port
from sirena.settings.catalogue import Settings
from tests.command_line import run_command
from tests.prepared_interpreter import PreparedPopen
from tests.prepared_servers import mlflow_server
from tests.recorded_activation import activate_on_record

BODY = {"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": "4"}]}
LARGER = 8.0
"""Up to which the second release says S; its training kept counts, that of the first did not."""
FILE = "PATIENT_ID,ORGANISM,AMK_NM,AMK_NE,AMK_EM,AMK_ND30\np1,eco,4,3,4,17\np2,Klebsiella pneumoniae,>8,,4,\n"


@dataclass(frozen=True)
class Hospital:
    """An MLflow server of its own with two releases: AMK is S up to 2 mg/L in the first, up to 8 in the second."""

    server: ChildProcess
    settings: Settings
    registry: Registry

    def activate(self, release: str) -> None:
        """Make a release the active one."""
        activate_on_record(self.registry, release)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory, train: Callable[..., Any]) -> Iterator[Hospital]:
    """The server, release 1 active. Tests run in order: the last one ends the server.

    The releases are made in the database directly, with artifacts where the server will look for them.
    """
    # explicitly: MLflow keeps the URI of the test before in the environment
    settings = Settings(home=tmp_path_factory.mktemp("server"), tracking_uri="")
    with undisturbed():
        client = mlflow.MlflowClient(tracking_uri=settings.effective_tracking_uri)
        client.create_experiment(settings.experiment_name, artifact_location="mlflow-artifacts:/7")
    store = connect(settings)
    for limit in (2.0, LARGER):
        trained = train("AMK_NM", susceptible_to=limit)
        if limit == LARGER:
            trained.report["tested"] = {"eco": {"blood": {"4": 40, "16": 20}}}
        version = log_model_version(
            store, trained, certificate={"edition": "CLSI 2025"}, certificate_html="", author="ana"
        )
        create_release(store, [find_version(store, str(version))], author="ana")
    port = free_port()
    with mlflow_server(settings, port) as server:
        asking = Settings(home=tmp_path_factory.mktemp("home"), tracking_uri=f"http://127.0.0.1:{port}")
        made = Hospital(server, asking, connect(asking))
        made.activate("1")
        yield made


@pytest.fixture
def environment(hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings as a user has them."""
    monkeypatch.setenv("SIRENA_HOME", str(hospital.settings.home))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", hospital.settings.tracking_uri)


@pytest.mark.usefixtures("environment")
def test_a_file_is_answered_by_the_release_that_is_asked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The active release by default, another by name; another guideline and zones are refused."""
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text(FILE, encoding="utf-8")
    for options, expected in (([], ["R", "R"]), (["--release", "latest"], ["S", "R"])):
        ended = run_command(capfd, ["interpret", path, "-o", out, *options])
        assert ended.code == 0, ended.errors
        with out.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        assert list(rows[0]) == [
            "PATIENT_ID", "ORGANISM", "AMK_NM", "Eti_AMK_NM", "AMK_NE", "Eti_AMK_NE", "AMK_EM", "Eti_AMK_EM",
            "AMK_ND30", "Eti_AMK_ND30", "SIRENA",
        ]  # fmt: skip
        assert {row["SIRENA"] for row in rows} == {f"release {2 if options else 1} · CLSI 2025"}
        assert [row["Eti_AMK_NM"] for row in rows] == expected
        assert [row["Eti_AMK_NE"] for row in rows] == [expected[0], ""]
        assert [row["Eti_AMK_EM"] for row in rows] == ["NI", "NI"]
        assert {row["Eti_AMK_ND30"] for row in rows if row["AMK_ND30"]} == {"NI"}
    assert "panel_SIR/2" in ended.errors
    assert "NI no_model: 2" in ended.errors
    assert "NI not_an_mic" in ended.errors
    assert "p1" not in ended.errors


@pytest.mark.usefixtures("environment")
def test_a_file_is_compared_with_the_training_of_the_release(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """By what its models answer to what their training kept; a training that kept nothing is named."""
    path = tmp_path / "in.csv"
    path.write_text("ORGANISM,SPEC_TYPE,AMK_NM\n" + "eco,bl,16\n" * 45 + "eco,bl,4\n" * 15, encoding="utf-8")
    ended = run_command(capfd, ["drift", path, "--release", "latest", "--json"])
    assert ended.code == 5, ended.errors
    (side,) = json.loads(ended.output)["sides"]
    (resistant,) = [one for one in side["comparisons"] if one["what"] == "R"]
    assert (resistant["results"], resistant["results_before"], resistant["of_before"]) == (45, 20, 60)
    ended = run_command(capfd, ["drift", path])
    assert ended.code == 0, ended.errors
    assert "kept no counts" in ended.output
    assert "AMK_NM" in ended.output


@pytest.mark.usefixtures("environment")
def test_the_basis_in_a_file_names_model_version_release_and_edition(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A result that travels by file can be followed back."""
    path, out = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text(FILE, encoding="utf-8")
    assert run_command(capfd, ["interpret", path, "-o", out, "--basis"]).code == 0
    with out.open(encoding="utf-8", newline="") as stream:
        row = next(csv.DictReader(stream))
    assert row["Eti_AMK_NM_basis"] == (
        "labels of the laboratory; the guideline edition states no breakpoint · modelo_AMK_NM/1, labels: reference"
    )
    assert row["Eti_AMK_EM_basis"] == "The release holds no model for this antimicrobial and guideline."
    assert (row["Eti_AMK_EM_reason"], row["SIRENA"]) == ("no_model", "release 1 · CLSI 2025")


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("options", [["--release", "99"], ["--engine", "abacus"]])
def test_what_is_not_there_is_wrong_use(tmp_path: Path, capfd: pytest.CaptureFixture[str], options: list[str]) -> None:
    """An unknown release or engine is exit code 2, and nothing is written."""
    path = tmp_path / "in.csv"
    path.write_text(FILE, encoding="utf-8")
    assert run_command(capfd, ["interpret", path, "-o", tmp_path / "out.csv", *options]).code == 2
    assert not (tmp_path / "out.csv").exists()


def test_a_forged_alias_changes_no_answer_and_is_an_alarm_within_the_poll_interval(hospital: Hospital) -> None:
    """Moved past the entry: the judged release answers on; metric, /readyz and ledger tell, until it is put back."""
    forged = hospital.registry.models.set_registered_model_alias
    with _service(hospital.settings) as url:
        assert _category(url) == "R"
        forged("panel_SIR", "production", "2")
        _wait(lambda: httpx.get(f"{url}/readyz").json()["source"]["state"] == "alarm")
        assert _category(url) == "R"
        [alarm] = httpx.get(f"{url}/version").json()["source"]["alarms"]
        assert alarm == {
            "store": "alias",
            "text": "panel_SIR/2 has the alias production; the ledger's release is panel_SIR/1",
        }
        assert 'sirena_panel_alarms{store="alias"} 1.0' in httpx.get(f"{url}/metrics").text
        [entry] = open_ledger(hospital.settings).read(events=("alarm",))
        assert entry.facts() == {"store": "alias", "release": "panel_SIR/1", "finding": alarm["text"]}
        forged("panel_SIR", "production", "1")
        _wait(lambda: httpx.get(f"{url}/readyz").json()["source"] == {"state": "ok"})
        assert 'sirena_panel_alarms{store="alias"} 0.0' in httpx.get(f"{url}/metrics").text


def test_the_service_follows_activation_and_outlives_the_registry(hospital: Hospital) -> None:
    """A new release within seconds; a dead registry changes no answer, not even across a restart."""
    with _service(hospital.settings) as url:
        assert _category(url) == "R"
        hospital.activate("2")
        _wait(lambda: _category(url) == "S")
        hospital.server.stop()
        _wait(lambda: httpx.get(f"{url}/readyz").json()["source"]["state"] == "failing")
        answer = httpx.post(f"{url}/invocations", json=BODY).json()
        assert answer["predictions"] == [{"Eti_AMK_NM": "S"}]
        facts = answer["provenance"]["Eti_AMK_NM"]
        assert (facts["model"], facts["version"], facts["release"]) == ("modelo_AMK_NM", "2", "panel_SIR/2")
    with _service(hospital.settings) as url:
        assert _category(url) == "S"


class _service:  # noqa: N801 - reads as the verb it is used as
    """`sirena serve` for the length of a block; entering gives its URL once it is ready."""

    def __init__(self, settings: Settings) -> None:
        """Take the registry's settings."""
        self._url = f"http://127.0.0.1:{free_port()}"
        self._environment = {
            **os.environ,
            "SIRENA_HOME": str(settings.home),
            "MLFLOW_TRACKING_URI": settings.tracking_uri,
            "SIRENA_POLL_SECONDS": "0.3",
        }

    def __enter__(self) -> str:
        self._process = PreparedPopen(
            [sys.executable, "-m", "sirena.cli", "serve", "--port", self._url.rpartition(":")[2]],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=self._environment,
        )
        _wait(lambda: _is_ready(self._url))
        return self._url

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        assert self._process.wait(60) == 0


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def _category(url: str) -> str:
    return str(httpx.post(f"{url}/invocations", json=BODY).json()["predictions"][0]["Eti_AMK_NM"])


def _wait(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)
