"""What a registered version is made of stays as it was registered, whoever asks and by whichever route."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sirena.ledger.catalogue import Uploaded
from sirena.registry.connection import Registry
from sirena.registry.registered_artifacts import identifiers_of_versions
from sirena.registry.versions import ModelVersion, Stage, find_version
from sirena.training.asking_apart import NetworkAsker
from tests.integration.registry.house import API, MODEL, House, log_trained, standing, trained_on

PUT = "/api/2.0/mlflow-artifacts/artifacts/1"


@pytest.fixture
def house(registry: Registry, asker: NetworkAsker, tmp_path: Path) -> Iterator[House]:
    """Five accounts before a real MLflow server."""
    with standing(registry, asker, tmp_path / "entry") as stood:
        yield stood


def decided(house: House, who: str, method: str, route: str) -> int:
    """Return what NGINX would be told."""
    return house.entry.ask(method, route, Authorization=house.entry.token(who)).status_code


def model_of(version: ModelVersion, registry: Registry) -> str:
    """Return the logged model's id."""
    source: str = registry.models.get_model_version(version.name, str(version.version)).source
    return source.removeprefix("models:/")


def test_a_registered_versions_files_are_not_written_by_any_route(house: House) -> None:
    """Overwriting, adding, several parts, deleting; the logged model's and the run's; by scientist and admin."""
    version = log_trained(house.registry, trained_on(True))
    model, run = model_of(version, house.registry), version.run_id
    table = f"{PUT}/models/{model}/artifacts/artifacts/truth_table.json"
    for method, route in [
        ("PUT", table),
        ("PUT", table.replace("/api/", "/ajax-api/")),
        ("PUT", table.replace("m-", "m%2D")),
        ("PUT", f"{PUT}/models/{model}/artifacts/new"),
        ("PUT", f"{PUT}/{run}/artifacts/plot.png"),
        ("POST", f"/api/2.0/mlflow-artifacts/mpu/create/1/models/{model}/artifacts/MLmodel"),
        ("POST", f"/api/2.0/mlflow-artifacts/mpu/complete/1/models/{model}/artifacts/MLmodel"),
        ("POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=x"),
        ("PATCH", f"/api/2.0/mlflow/logged-models/{model}"),
        ("DELETE", f"/api/2.0/mlflow/logged-models/{model}/tags/x"),
    ]:
        assert decided(house, "carl", method, route) == 403, route
    for route in (table, f"{PUT}/models/{model}", f"{PUT}/models", f"/api/2.0/mlflow/logged-models/{model}"):
        assert decided(house, "otto", "DELETE", route) == 403, route
    assert decided(house, "carl", "PATCH", f"/api/2.0/mlflow/logged-models/{model}/tags") == 204
    assert decided(house, "carl", "GET", table) == 204


def test_runs_that_versions_come_from_are_not_deleted(house: House) -> None:
    """Another run is its maker's."""
    version = log_trained(house.registry, trained_on(True))
    free = house.registry.client.create_run(house.registry.experiment_id).info.run_id
    for route in ("runs/delete", "runs/restore"):
        assert house.send("carl", "POST", f"{API}/{route}", {"run_id": version.run_id}).status_code == 403
    assert house.send("carl", "POST", f"{API}/runs/delete", {"run_id": free}).status_code == 200
    assert house.registry.client.get_run(version.run_id).info.lifecycle_stage == "active"


def test_an_experiment_that_versions_come_from_is_not_deleted(house: House) -> None:
    """Whoever asks is told why; an experiment without them is the administrator's."""
    client, version = house.registry.client, log_trained(house.registry, trained_on(True))
    held, free = house.registry.experiment_id, client.create_experiment(f"trial of {version.run_id}")
    for route in (API, API.replace("/api/", "/ajax-api/")):
        refused = house.send("otto", "POST", f"{route}/experiments/delete", {"experiment_id": held})
        assert (refused.status_code, "registered versions come from" in refused.text) == (403, True)
    assert house.send("carl", "POST", f"{API}/experiments/delete", {"experiment_id": free}).status_code == 403
    assert house.send("otto", "POST", f"{API}/experiments/delete", {"experiment_id": free}).status_code == 200
    assert client.get_experiment(held).lifecycle_stage == "active"
    assert client.get_experiment(free).lifecycle_stage == "deleted"


def test_what_is_not_registered_yet_is_written_and_from_registering_on_is_not(house: House) -> None:
    """Nothing is remembered beyond the moment in which a version is made."""
    client, experiment = house.registry.client, house.registry.experiment_id
    run = client.create_run(experiment).info.run_id
    model = client.create_logged_model(experiment, name="m", source_run_id=run).model_id
    house.registry.models.create_registered_model(MODEL)
    routes = [f"{PUT}/models/{model}/artifacts/MLmodel", f"{PUT}/{run}/artifacts/plot.png"]
    assert [decided(house, "carl", "PUT", route) for route in routes] == [204, 204]
    assert house.create("carl", f"models:/{model}", model_id=model).status_code == 200
    assert [decided(house, "carl", "PUT", route) for route in routes] == [403, 403]
    assert {model, run} <= identifiers_of_versions(house.registry)


def test_a_later_certificate_is_added_and_not_written_over(house: House) -> None:
    """Renewing a certificate adds files; the ones there stay."""
    version = log_trained(house.registry, trained_on(True))
    model = model_of(version, house.registry)
    location = house.registry.models.get_model_version_download_uri(version.name, str(version.version))
    folder = "/api/2.0/mlflow-artifacts/artifacts/" + location.partition(":/")[2].lstrip("/")
    assert model in folder
    route = f"{folder}/certificates/clsi-2025-0123456789ab.json"
    assert decided(house, "carl", "PUT", route) == 204
    answer = house.entry.client.put(f"{house.registry.uri}{route}", content=b"{}")
    assert answer.status_code == 200
    assert decided(house, "carl", "PUT", route) == 403


def test_approvers_certify_without_the_right_to_train(house: House) -> None:
    """Whoever lets a version answer may add a certificate to it, and to nothing that is not registered."""
    version = log_trained(house.registry, trained_on(True))
    location = house.registry.models.get_model_version_download_uri(version.name, str(version.version))
    folder = "/api/2.0/mlflow-artifacts/artifacts/" + location.partition(":/")[2].lstrip("/")
    new = "certificates/clsi-2025-0123456789ab.json"
    assert decided(house, "berta", "PUT", f"{folder}/{new}") == 204
    assert decided(house, "dora", "PUT", f"{folder}/{new}") == 403
    assert decided(house, "berta", "PUT", f"{folder}/artifacts/truth_table.json") == 403
    free = folder.replace(model_of(version, house.registry), "m-" + "0" * 32)
    assert decided(house, "berta", "PUT", f"{free}/{new}") == 403
    assert decided(house, "carl", "PUT", f"{free}/{new}") == 204


def test_the_evidence_of_a_registered_version_stands_still(house: House) -> None:
    """Metrics, parameters, tags and name of its run, and metrics of its logged model by way of another run."""
    version = log_trained(house.registry, trained_on(True))
    model, run, client = model_of(version, house.registry), version.run_id, house.registry.client
    before = client.get_run(run).data.to_dictionary()
    free = client.create_run(house.registry.experiment_id).info.run_id
    metric = {"key": "agreement", "value": 1.0, "timestamp": 1, "step": 0}
    changes: dict[str, dict[str, Any]] = {
        "log-metric": metric,
        "log-batch": {"metrics": [metric], "tags": [{"key": "k", "value": "v"}]},
        "log-parameter": {"key": "p", "value": "v"},
        "set-tag": {"key": "sirena.edition", "value": "EUCAST 2025"},
        "delete-tag": {"key": "sirena.edition"},
        "update": {"run_name": "better"},
    }
    for kind, body in changes.items():
        assert house.send("carl", "POST", f"{API}/runs/{kind}", {"run_id": run, **body}).status_code == 403, kind
    by_another = {"run_id": free, "metrics": [{**metric, "model_id": model}]}
    assert house.send("carl", "POST", f"{API}/runs/log-batch", by_another).status_code == 403
    assert client.get_run(run).data.to_dictionary() == before
    allowed: dict[str, dict[str, Any]] = {"log-metric": metric, "log-batch": {"metrics": [metric]}}
    for kind, body in allowed.items():
        assert house.send("carl", "POST", f"{API}/runs/{kind}", {"run_id": free, **body}).status_code == 200, kind
    assert client.get_run(free).data.metrics == {"agreement": 1.0}
    ended = {"run_id": run, "status": "FINISHED", "end_time": 1}
    assert house.send("carl", "POST", f"{API}/runs/update", ended).status_code == 200


def test_a_source_outside_mlflow_is_not_registered(house: House) -> None:
    """The server would have to fetch it from wherever it is told."""
    log_trained(house.registry, trained_on(True))
    for source in ("s3://elsewhere/model", "https://elsewhere/model", "file:///etc"):
        assert house.create("carl", source).status_code == 403
    assert find_version(house.registry, MODEL).version == 1


def test_a_file_written_after_registering_is_named_when_the_version_is_judged(house: House) -> None:
    """An upload that began before registration may end after it: the ledger noted every file when it was registered."""
    made = log_trained(house.registry, trained_on(True))
    model = model_of(made, house.registry)
    assert house.create("carl", f"models:/{model}", model_id=model, run_id=made.run_id).status_code == 200
    version = find_version(house.registry, f"{MODEL}/2")
    noted = house.entry.told("registered")[-1]["files"]
    assert {"MLmodel", "artifacts/truth_table.json"} <= {line.partition(" ")[2] for line in noted}
    house.entry.ledger(Uploaded(who="carl", origin="192.0.2.7", resource=model, act=model))
    location = house.registry.models.get_model_version_download_uri(version.name, "2")
    path = "/api/2.0/mlflow-artifacts/artifacts/" + location.partition(":/")[2].lstrip("/")
    late = f"{house.registry.uri}{path}/code/late.py"
    assert house.entry.client.put(late, content=b"import os").status_code == 200
    refused = house.alias("berta", version)
    assert refused.status_code == 409
    assert "code/late.py (added)" in refused.text
    assert "written by carl" in refused.text
    assert house.stage(version) is Stage.NONE
