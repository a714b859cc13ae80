"""Which runs and logged models a request would write to."""

import pytest

from sirena.access.errors import ForbiddenError
from sirena.access.immutable import Write, read_write
from sirena.access.paths import read_target

RUN, MODEL = "0123456789abcdef" * 2, "m-" + "fedcba9876543210" * 2
ARTIFACTS = "/api/2.0/mlflow-artifacts"


def written(method: str, target: str) -> set[str] | None:
    """Return what a request would write to."""
    write = read_write(method, read_target(target))
    return None if write is None else set(write.identifiers)


@pytest.mark.parametrize(
    ("method", "target", "named"),
    [
        ("PUT", f"{ARTIFACTS}/artifacts/1/models/{MODEL}/artifacts/MLmodel", {MODEL}),
        ("PUT", f"/ajax-api/2.0/mlflow-artifacts/artifacts/1/{RUN}/artifacts/a/b.json", {RUN}),
        ("PUT", f"{ARTIFACTS}/artifacts/1/models/m%2D{MODEL[2:]}/artifacts/MLmodel", {MODEL}),
        ("DELETE", f"{ARTIFACTS}/artifacts/1/models/{MODEL}", {MODEL}),
        ("POST", f"{ARTIFACTS}/mpu/create/1/models/{MODEL}/artifacts/x", {MODEL}),
        ("POST", f"{ARTIFACTS}/mpu/complete/1/{RUN}/artifacts/x", {RUN}),
        ("POST", f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={RUN}&path=x", {RUN}),
        ("DELETE", f"/api/2.0/mlflow/logged-models/{MODEL}", {MODEL}),
        ("PATCH", f"/api/2.0/mlflow/logged-models/{MODEL}", {MODEL}),
        ("POST", f"/api/2.0/mlflow/logged-models/{MODEL}/params", {MODEL}),
        ("DELETE", f"/api/2.0/mlflow/logged-models/{MODEL}/tags/x", {MODEL}),
        ("PATCH", f"/api/2.0/mlflow/logged-models/{MODEL}/tags", None),
        ("POST", "/api/2.0/mlflow/logged-models", None),
        ("POST", "/api/2.0/mlflow/logged-models/search", None),
        ("GET", f"{ARTIFACTS}/artifacts/1/models/{MODEL}/artifacts/MLmodel", None),
        ("POST", "/api/2.0/mlflow/runs/create", None),
    ],
)
def test_runs_and_models_are_found_in_path_and_query(method: str, target: str, named: set[str] | None) -> None:
    """By whichever of MLflow's routes."""
    assert written(method, target) == named


@pytest.mark.parametrize("path", ["1", "1/models", "models"])
def test_a_folder_of_many_is_not_deleted(path: str) -> None:
    """It would take registered ones with it."""
    with pytest.raises(ForbiddenError):
        written("DELETE", f"{ARTIFACTS}/artifacts/{path}")


def test_a_later_certificate_is_told_from_everything_else() -> None:
    """By its place and its form; deleting one is no adding."""
    path = f"1/models/{MODEL}/artifacts/certificates/clsi-2025-0123.json"
    target = read_target(f"{ARTIFACTS}/artifacts/{path}")
    assert read_write("PUT", target) == Write(frozenset({MODEL}), path)
    assert read_write("DELETE", target) == Write(frozenset({MODEL}))
    for other in (f"1/models/{MODEL}/artifacts/certificates/a/b.json", f"1/models/{MODEL}/artifacts/certificate.json"):
        assert read_write("PUT", read_target(f"{ARTIFACTS}/artifacts/{other}")) == Write(frozenset({MODEL}))
