"""A real MLflow server, and small trained models to log there."""

import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import sirena.registry  # noqa: F401 - imports MLflow without its warnings
from sirena.certification.certificate import Subject, certify
from sirena.certification.certificate_file import to_json
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.editions import load_edition
from sirena.guidelines.interpreter import compile_tables
from sirena.registry.connection import Registry, connect
from sirena.registry.mlflow_quietly import mlflow, undisturbed
from sirena.registry.models import log_model_version
from sirena.registry.releases import create_release
from sirena.registry.versions import find_version
from sirena.server.parts.processes import free_port
from sirena.settings.catalogue import Settings
from sirena.training.asking_apart import NetworkAsker
from tests.integration.registry.registry_models import ORGANISMS, Log, Trained, table
from tests.prepared_servers import mlflow_server

_EDITION = load_edition("CLSI 2025")


def _network() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import keras
    keras.utils.set_random_seed(1)
    inputs = keras.Input((2,))
    return keras.Model(inputs, keras.layers.Dense(2)(inputs))


@pytest.fixture(scope="package")
def train() -> Callable[..., Trained]:
    """Make a trained model of a column."""
    network = _network()

    def make(column: str, *, susceptible_to: float = 8.0, seed: int = 7) -> Trained:
        report = {
            "seed": seed,
            "settings": {"epochs": 3, "rate": 0.1},
            "history": [{"loss": 3.0}, {"loss": 2.0}, {"loss": 1.0}],
            "metrics": {"agreement_with_labels": 1.0, "by_organism": {"eco": {"deep": {"n": 3.0}}}},
            "evidence": {"results": 300, "cells": 252},
            "label_source": "reference",
            "data_sha256": "0" * 64,
        }
        return Trained(column, network, table(column, susceptible_to=susceptible_to), report)

    return make


@pytest.fixture(scope="package")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home whose database has MLflow's tables and nothing in them; copied, because making them takes seconds."""
    home = tmp_path_factory.mktemp("blank")
    with undisturbed():
        mlflow.MlflowClient(tracking_uri=f"sqlite:///{home}/mlflow.db").search_experiments()
    return home


@pytest.fixture(scope="package")
def mlflow_home(blank: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the server."""
    return shutil.copytree(blank, tmp_path_factory.mktemp("mlflow") / "home")


@pytest.fixture(scope="package")
def tracking_uri(mlflow_home: Path) -> Iterator[str]:
    """A running MLflow server with SQLite and a folder, on a loopback port of its own."""
    port = free_port()
    with mlflow_server(Settings(home=mlflow_home), port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="package")
def asker() -> Iterator[NetworkAsker]:
    """The process that asks networks, shared because TensorFlow takes seconds to load."""
    asking = NetworkAsker()
    yield asking
    asking.close()


@pytest.fixture
def registry(tracking_uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A connection to the server; MLflow's own tools find it too."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_uri)
    return connect(Settings(home=tmp_path / "home", tracking_uri=tracking_uri))


@pytest.fixture(scope="package")
def amikacin() -> TruthTable:
    """What CLSI says of amikacin and three organisms."""
    return compile_tables(_EDITION, ["AMK"], organisms=ORGANISMS)["AMK"]


@pytest.fixture
def log(
    blank: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    train: Callable[..., Trained],
    amikacin: TruthTable,
) -> Log:
    """Log amikacin models into a database of this test, with true certificates."""
    home = shutil.copytree(blank, tmp_path / "home")
    monkeypatch.setenv("SIRENA_HOME", str(home))
    monkeypatch.setenv("SIRENA_USER", "ana")
    registry = connect(Settings(home=home))

    def make(table: TruthTable) -> Registry:
        certificate = certify(
            table,
            amikacin,
            edition=_EDITION.name,
            edition_digest=_EDITION.digest,
            subject=Subject("modelo_AMK_NM", ""),
        )
        trained = replace(train("AMK_NM"), table=table)
        log_model_version(
            registry, trained, certificate=to_json(certificate), certificate_html="<h1>AMK</h1>", author="ana"
        )
        return registry

    return make


@pytest.fixture(scope="package")
def template(blank: Path, tmp_path_factory: pytest.TempPathFactory, train: Callable[..., Any]) -> Path:
    """Home with three releases: AMK calls S up to 2, 4 and 8 mg/L; AMP is the same in all.

    Artifacts lie where the embedded server keeps them, so the folder may be copied.
    """
    home = shutil.copytree(blank, tmp_path_factory.mktemp("template") / "home")
    # named, because MLflow puts the URI of whoever connected before into the environment
    settings = Settings(home=home, tracking_uri=f"sqlite:///{home}/mlflow.db")
    with undisturbed():
        client = mlflow.MlflowClient(tracking_uri=settings.effective_tracking_uri)
        client.create_experiment(settings.experiment_name, artifact_location="mlflow-artifacts:/7")
    store = connect(settings)
    for limit in (2.0, 4.0, 8.0):
        versions = [
            log_model_version(store, trained, certificate={"edition": "CLSI 2025"}, certificate_html="", author="ana")
            for trained in (train("AMK_NM", susceptible_to=limit), train("AMP_NM"))
        ]
        create_release(store, [find_version(store, str(version)) for version in versions], author="ana")
    return settings.home


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Registry:
    """A copy of the template: a database opened directly, as without a server."""
    return connect(Settings(home=shutil.copytree(template, tmp_path / "store")))
