"""Train, register, stage and serve with MLflow 2.17.1 as client, as server and as scoring server."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from sirena.cli import main
from sirena.registry.connection import connect
from sirena.registry.mlflow_quietly import mlflow
from sirena.registry.versions import Stage, find_version
from sirena.server.parts.connections import PartConnection
from sirena.server.parts.mlflow_server import embedded_mlflow_server
from sirena.server.parts.part import HttpHealth
from sirena.server.parts.processes import ChildProcess, free_port
from sirena.settings.catalogue import Settings
from sirena.whonet.synthetic import generate_hospital
from sirena.whonet.writing import write_file

COLUMNS = ("AMK_NM", "CIP_NM", "VAN_NM")
SERVED = {"modelo_AMK_NM/Production": ("AMK_NM",), "panel_SIR@production": COLUMNS}
"""A model by its stage, a release by its alias: the two ways in which MLflow 2 names what is in production."""


@dataclass(frozen=True)
class Older:
    """A home, its MLflow 2.17.1 server, and isolates with their categories by the published breakpoints."""

    home: Path
    uri: str
    reference: pl.DataFrame

    @property
    def settings(self) -> Settings:
        """Settings of a client."""
        return Settings(home=self.home, tracking_uri=self.uri)


def _sirena(*arguments: object) -> str:
    output = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
    ):
        patch.setattr(sys, "argv", ["sirena", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
    assert left.value.code in (0, None), output.getvalue()
    return output.getvalue()


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Older]:
    """Everything up to the activated release, by Sirena's commands alone."""
    home = tmp_path_factory.mktemp("older")
    isolates, answered = home / "isolates.csv", home / "reference.csv"
    frame = generate_hospital(400, 3)
    write_file(frame.drop([name for name in frame.columns if name.startswith("Eti_")]), isolates)
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    with pytest.MonkeyPatch.context() as patch, embedded_mlflow_server(Settings(home=home), port, "mlflow"):
        patch.setenv("SIRENA_HOME", str(home))
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        _sirena("reference", isolates, "-o", answered)
        _sirena("train", isolates, "--labels", "reference", "--drugs", "AMK,CIP,VAN")
        _sirena("certify", "modelo_AMK_NM")
        _sirena("promote", "--all", "--to", "staging")
        _sirena("promote", "--all", "--to", "production")
        _sirena("release", "create")
        _sirena("release", "activate", "latest")
        yield Older(home, uri, pl.read_csv(answered, infer_schema=False))


@pytest.fixture(scope="module")
def answers(older: Older) -> dict[str, list[dict[str, Any]]]:
    """What MLflow's own scoring server answers to every isolate, by what it serves."""
    question = older.reference.select("ORGANISM", *COLUMNS).fill_null("")
    with ThreadPoolExecutor(len(SERVED)) as pool:
        found = pool.map(lambda name: _ask(older, name, question.select("ORGANISM", *SERVED[name])), SERVED)
        return dict(zip(SERVED, found, strict=True))


def _ask(older: Older, name: str, question: pl.DataFrame) -> Any:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", f"models:/{name}"]
    environment = {"MLFLOW_TRACKING_URI": older.uri, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with ChildProcess(
        name,
        [*command, "--env-manager", "local", "-p", str(port)],
        health=HttpHealth(PartConnection(url), "/ping"),
        log=older.home / "logs" / f"{name.partition('/')[0]}.log",
        environment=environment,
    ):
        answer = httpx.post(f"{url}/invocations", json={"dataframe_records": question.to_dicts()}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"]


def test_client_and_server_are_the_older_ones(older: Older) -> None:
    """What the other tests prove is about 2.17.1, not about the MLflow that we ship."""
    assert [version("mlflow"), httpx.get(f"{older.uri}/version").text] == ["2.17.1", "2.17.1"]


@pytest.mark.parametrize("column", COLUMNS)
def test_stage_and_alias_say_production(older: Older, column: str) -> None:
    """MLflow's own client sees stage, alias and the version's files where MLflow 2 keeps them."""
    client = mlflow.MlflowClient(tracking_uri=older.uri)
    found = client.get_model_version_by_alias(f"modelo_{column}", "production")
    assert (found.version, found.current_stage) == ("1", "Production")
    assert {"MLmodel", "artifacts", "code"} <= {
        Path(file.path).name for file in client.list_artifacts(found.run_id, "model")
    }


@pytest.mark.parametrize("served", SERVED)
def test_the_scoring_server_answers_like_the_reference(
    older: Older, answers: dict[str, list[dict[str, Any]]], served: str
) -> None:
    """Every MIC of 400 isolates gets the category that the published breakpoints give it."""
    for column in SERVED[served]:
        expected = older.reference[f"Eti_{column}"].fill_null("").to_list()
        assert [answer[f"Eti_{column}"] for answer in answers[served]] == expected
        assert len({*expected} - {"", "NI"}) > 1


def test_training_again_registers_nothing_new(older: Older, monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest of a model is found by MLflow 2's search too."""
    monkeypatch.setenv("SIRENA_HOME", str(older.home))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", older.uri)
    _sirena("train", older.home / "isolates.csv", "--labels", "reference", "--drugs", "AMK")
    newest = find_version(connect(older.settings), "modelo_AMK_NM")
    assert (newest.version, newest.stage) == (1, Stage.PRODUCTION)
