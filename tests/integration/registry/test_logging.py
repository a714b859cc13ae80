"""Logging models in a real MLflow server."""

import json
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sirena.registry.certificates import attach_certificate, certificate_path
from sirena.registry.connection import Registry, connect
from sirena.registry.mlflow_quietly import mlflow
from sirena.registry.model_files import files_of
from sirena.registry.models import ModelVersionRef, log_model_version
from sirena.registry.pyfunc_artifact import load_pyfunc
from sirena.registry.runs import finish_run, start_parent_run
from sirena.registry.versions import (
    REPORT,
    IntegrityError,
    ModelVersion,
    find_version,
    list_versions,
    load_table,
    read_file,
)
from sirena.settings.catalogue import Settings

CERTIFICATE = {"edition": "CLSI 2025", "disagreements": 0}


def log(registry: Registry, trained: Any, **more: Any) -> ModelVersionRef:
    """Log a model with a small certificate."""
    return log_model_version(
        registry, trained, certificate=CERTIFICATE, certificate_html="<h1>AMK</h1>", author="ana", **more
    )


def certificate_of(registry: Registry, version: ModelVersion) -> Any:
    """Return the certificate that counts."""
    return json.loads(read_file(registry, version, certificate_path(version)))


def test_a_logged_version_holds_table_certificate_and_report(registry: Registry, train: Callable[..., Any]) -> None:
    """What was logged is what is read back."""
    trained = train("AMK_NM")
    version = find_version(registry, str(log(registry, trained)))
    assert load_table(registry, version).to_json() == trained.table.to_json()
    assert certificate_of(registry, version) == CERTIFICATE
    assert json.loads(read_file(registry, version, REPORT))["seed"] == 7
    assert (version.author, version.column) == ("ana", "AMK_NM")
    told = registry.models.get_model_version(version.name, str(version.version))
    assert "Answers Amikacin (AMK_NM)" in told.description
    assert "Amikacina según CLSI" in registry.models.get_registered_model(version.name).description


def test_the_files_sent_are_the_files_kept_through_the_server_or_in_its_folder(
    registry: Registry, tracking_uri: str, mlflow_home: Path, train: Callable[..., Any]
) -> None:
    """What the ledger notes of a training is what a later comparison finds, wherever the files were written."""
    beside = connect(Settings(home=mlflow_home, tracking_uri=tracking_uri), started_here=True)
    for writer, seed in ((registry, 11), (beside, 12)):
        trained = train("TEC_NM")
        logged = log(writer, replace(trained, report={**trained.report, "seed": seed}))
        version = find_version(registry, str(logged))
        assert logged.files
        assert logged.files == files_of(registry, version) == files_of(beside, version)


def test_the_keras_file_in_the_artifact_loads(registry: Registry, train: Callable[..., Any], tmp_path: Path) -> None:
    """A data scientist finds the network itself beside the table."""
    import keras

    version = log(registry, train("AMK_NM"))
    folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{version}", dst_path=str(tmp_path)))
    network = keras.saving.load_model(folder / "artifacts" / "modelo_AMK_NM.keras", safe_mode=True)
    assert network.count_params() == train("AMK_NM").network.count_params()


def test_nothing_in_the_artifact_is_pickled(registry: Registry, train: Callable[..., Any], tmp_path: Path) -> None:
    """The model is made by running its own code; loading it unpickles nothing."""
    version = log(registry, train("AMK_NM"))
    folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=f"models:/{version}", dst_path=str(tmp_path)))
    flavour = mlflow.models.Model.load(str(folder)).flavors["python_function"]
    assert flavour["loader_module"] == "mlflow.pyfunc.loaders.code_model"
    assert "python_model" not in flavour
    assert [path.name for path in folder.rglob("*") if path.suffix in {".pkl", ".pickle", ".joblib"}] == []


def test_a_run_holds_parameters_metrics_curves_and_hashes_under_its_parent(
    registry: Registry, train: Callable[..., Any]
) -> None:
    """MLflow's own pages show how the model came to be."""
    parent = start_parent_run(registry, "training", author="ana")
    version = log(registry, train("CIP_NM"), parent_run_id=parent, plots={"confusion.png": b"\x89PNG"})
    finish_run(registry, parent)
    run = registry.client.get_run(version.run_id)
    assert run.data.params["epochs"] == "3"
    assert run.data.metrics["agreement_with_labels"] == 1.0
    assert [point.value for point in registry.client.get_metric_history(version.run_id, "curve/loss")] == [3, 2, 1]
    assert run.data.tags["mlflow.parentRunId"] == parent
    assert run.data.tags["sirena.data_sha256"] == "0" * 64
    assert run.info.status == "FINISHED"
    assert [file.path for file in registry.client.list_artifacts(version.run_id)] == ["confusion.png"]


def test_logging_the_same_model_again_makes_no_second_version(registry: Registry, train: Callable[..., Any]) -> None:
    """A training that is repeated finds its versions; a different model gets the next number."""
    first = log(registry, train("AMP_NM"))
    again = log(registry, train("AMP_NM"))
    other = log(registry, train("AMP_NM", susceptible_to=4))
    assert (first.version, again.version, again.reused, other.version) == (1, 1, True, 2)


def test_a_training_killed_before_the_version_completes_when_repeated(
    registry: Registry, train: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dying between the files and the version leaves a failed run and no version."""

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("sirena.registry.models.register", die)
        with pytest.raises(KeyboardInterrupt):
            log(registry, train("ATM_NM"))
    assert list_versions(registry, "modelo_ATM_NM") == []
    log(registry, train("ATM_NM"))
    assert [version.version for version in list_versions(registry, "modelo_ATM_NM")] == [1]


def test_equal_models_logged_at_once_end_as_one_version(registry: Registry, train: Callable[..., Any]) -> None:
    """Two trainings at once agree on the older of two equal versions."""
    trained = train("CAS_NM")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: log(registry, trained), range(4)))
    [left] = list_versions(registry, "modelo_CAS_NM")
    assert {version.version for version in made} == {left.version}


def test_different_models_logged_at_once_do_not_mix(registry: Registry, train: Callable[..., Any]) -> None:
    """Each version holds its own table, whatever was logged beside it."""
    limits = {"CAZ_NM": 1.0, "CLI_NM": 2.0, "CPT_NM": 4.0, "CRO_NM": 16.0}
    models = [train(column, susceptible_to=limit) for column, limit in limits.items()]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda trained: log(registry, trained), models))
    for trained, reference in zip(models, made, strict=True):
        assert load_table(registry, find_version(registry, str(reference))).to_json() == trained.table.to_json()


def test_two_models_load_in_one_process_and_answer_as_themselves(registry: Registry, train: Callable[..., Any]) -> None:
    """Loading and asking warns of nothing, and the models do not share state."""
    strict = log(registry, train("CTX_NM", susceptible_to=1.0))
    lenient = log(registry, train("CZA_NM", susceptible_to=64.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        predictors = [load_pyfunc(f"models:/{version}") for version in (strict, lenient)]
        answers = [
            predictor.predict(pd.DataFrame({"ORGANISM": ["eco"], column: ["16"]})).iloc[0, 0]
            for predictor, column in zip(predictors, ("CTX_NM", "CZA_NM"), strict=True)
        ]
        packed = predictors[0].predict({"ORGANISM": ["eco", "kpn"], "CTX_NM": ["0,5", ">=2"]})
    assert answers == ["R", "S"]
    assert packed["Eti_CTX_NM"].tolist() == ["S", "R"]


def test_a_table_changed_in_the_store_is_not_trusted(
    registry: Registry, train: Callable[..., Any], mlflow_home: Path
) -> None:
    """Whoever alters a stored table is found out by its hash."""
    version = find_version(registry, str(log(registry, train("CZO_NM"))))
    location = registry.client.get_model_version_download_uri(version.name, str(version.version))
    [stored] = (mlflow_home / "artifacts").rglob(f"{location.split('/models/')[1]}/artifacts/truth_table.json")
    stored.write_bytes(stored.read_bytes().replace(b"S", b"R"))
    with pytest.raises(IntegrityError, match="modelo_CZO_NM/1"):
        load_table(registry, version)
    stripped = replace(version, tags={})
    assert not stripped.is_ours


def test_logging_prints_nothing(
    registry: Registry, train: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither MLflow's links nor its progress bars reach the terminal."""
    trained = train("CZT_NM")
    capfd.readouterr()
    log(registry, trained)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_a_later_certificate_counts_and_the_first_stays(registry: Registry, train: Callable[..., Any]) -> None:
    """Certifying against another edition adds a certificate; it is the one the gate will see."""
    version = find_version(registry, str(log(registry, train("SAM_NM"))))
    newer = attach_certificate(registry, version, {"edition": "EUCAST 2025"}, "<h1>EUCAST</h1>")
    assert certificate_of(registry, newer) == {"edition": "EUCAST 2025"}
    assert read_file(registry, newer, certificate_path(newer).removesuffix(".json") + ".html") == b"<h1>EUCAST</h1>"
    assert certificate_of(registry, version) == CERTIFICATE
