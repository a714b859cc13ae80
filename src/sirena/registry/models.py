"""Logging one trained model: a run, a logged model, a version. Repeating it changes nothing.

The order is run → files → logged model ready → version (the last call, with every tag), so that a process killed at any
point leaves no incomplete version, only a run. A repetition finds the version by its digest and stops there.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from mlflow.exceptions import MlflowException

from sirena.domain.errors import UsageError
from sirena.domain.test_column import parse_test_column
from sirena.registry.artifact_store import upload_to_run
from sirena.registry.connection import Registry, speaks_to_mlflow
from sirena.registry.digests import ModelToRegister, canonical_json, model_digest, sha256
from sirena.registry.evidence import held_out_agreement
from sirena.registry.mlflow_quietly import undisturbed
from sirena.registry.model_files import files_to_store
from sirena.registry.model_place import ModelPlace, take_place
from sirena.registry.pyfunc_artifact import save_pyfunc
from sirena.registry.runs import child_run, code_version, log_report
from sirena.registry.served_code import served_code
from sirena.registry.story import model_description, story_metrics, version_description

DIGEST_TAG: Final = "sirena.digest"


@dataclass(frozen=True)
class ModelVersionRef:
    """What registering a model returns: the version that now exists, new or reused."""

    name: str
    """Name of the registered model, ``modelo_AMK_NM``."""
    version: int
    run_id: str
    digest: str
    """Content digest of the version, see `digests.model_digest`."""
    reused: bool = False
    """True if the same model had been logged before."""
    files: tuple[str, ...] = ()
    """Its files as they were sent to be stored, ``SHA-256 path`` (see `model_files.files_of`); none of a reused one."""

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


@speaks_to_mlflow
def log_model_version(
    registry: Registry,
    model: ModelToRegister,
    *,
    certificate: Mapping[str, Any],
    certificate_html: str,
    author: str,
    parent_run_id: str | None = None,
    plots: Mapping[str, bytes] | None = None,
    tags: Mapping[str, str] | None = None,
) -> ModelVersionRef:
    """Log a trained model with its certificate and register a version, unless it is registered already.

    Safe to call from several threads and processes at once: MLflow numbers the versions, and of two equal ones the one
    with the lower number is kept.

    Args:
        registry: registry for the version.
        model: the model.
        certificate: the model's certificate as JSON; ``edition`` names the guideline edition it was checked against.
        certificate_html: the model's certificate as an HTML page.
        author: account that trained the model.
        parent_run_id: run of the whole training, from `start_parent_run`.
        plots: PNG files by name, stored with the run.
        tags: further tags of run and version, such as data and guideline table hashes.

    Raises:
        RegistryUnavailableError: MLflow does not answer.
        RegistryError: MLflow refused.
        UsageError: the model's column is no MIC test column.
    """
    name = _model_name(model.column)
    edition = str(certificate.get("edition", ""))
    with undisturbed():
        digest = model_digest(model, edition)
    existing_version = find_by_digest(registry, name, digest)
    if existing_version is not None:
        return existing_version
    facts = {
        DIGEST_TAG: digest,
        "sirena.column": model.column,
        "sirena.author": author,
        "sirena.edition": edition,
        "sirena.label_source": str(model.report.get("label_source", "")),
        "sirena.data_sha256": str(model.report.get("data_sha256", "")),
        "sirena.code_version": code_version(),
        **(tags or {}),
    }
    with child_run(registry, name, parent_run_id, {**facts, "mlflow.user": author}) as run_id:
        agreement, _ = held_out_agreement(model.report)
        log_report(registry, run_id, model.report, story_metrics(agreement, certificate))
        with tempfile.TemporaryDirectory(prefix="sirena-model-") as scratch:
            files, hashes = _write_files(Path(scratch), model, certificate, certificate_html)
            _log_plots(registry, run_id, Path(scratch), plots or {})
            place = log_pyfunc(registry, run_id, name, artifacts=files, columns=(model.column,), scratch=Path(scratch))
        words = version_description(model.column, model.report, certificate)
        return register(registry, name, place, run_id, {**facts, **hashes}, words)


def log_pyfunc(
    registry: Registry,
    run_id: str,
    name: str,
    *,
    artifacts: Mapping[str, Path],
    columns: tuple[str, ...],
    scratch: Path,
) -> ModelPlace:
    """Store a pyfunc as the model of a run, and return its place.

    Args:
        registry: registry for the model.
        run_id: run that made the model.
        name: name of the logged model.
        artifacts: files, by the name by which `ServedModel` finds them.
        columns: test columns of the signature.
        scratch: folder for the copy that is uploaded.
    """
    place = take_place(registry, run_id, name)
    folder = scratch / "model"
    save_pyfunc(
        folder, artifacts=artifacts, columns=columns, code=served_code(registry.settings.home), identity=place.identity
    )
    files = files_to_store(registry, folder)
    place.fill(registry, folder)
    return replace(place, files=files)


def register(
    registry: Registry, name: str, place: ModelPlace, run_id: str, tags: Mapping[str, str], description: str = ""
) -> ModelVersionRef:
    """Register a logged model as a version; of two versions with the same digest the older one is kept.

    Args:
        registry: registry for the version.
        name: name of the registered model, which is created if missing.
        place: place of the logged model.
        run_id: run that made the model.
        tags: tags of the version.
        description: description of the version.

    Returns:
        The version that has this content in the end.
    """
    client = registry.client
    try:
        version = _create_version(client, name, place, run_id, tags, description)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        _create_registered_model(client, name)
        version = _create_version(client, name, place, run_id, tags, description)
    first = find_by_digest(registry, name, tags[DIGEST_TAG])
    if first is not None and first.version < int(version.version):
        registry.models.delete_model_version(name, str(version.version))
        return first
    return ModelVersionRef(name, int(version.version), run_id, tags[DIGEST_TAG], files=place.files)


def find_by_digest(registry: Registry, name: str, digest: str) -> ModelVersionRef | None:
    """Return the oldest version with this content digest, or None."""
    rows = registry.models.search_model_versions(f"name = '{name}' AND tag.`{DIGEST_TAG}` = '{digest}'")
    if not rows:
        return None
    oldest = min(rows, key=lambda version: int(version.version))
    return ModelVersionRef(name, int(oldest.version), str(oldest.run_id), digest, reused=True)


def _model_name(column: str) -> str:
    test_column = parse_test_column(column)
    if test_column is None or not test_column.is_mic:
        raise UsageError(f"{column!r} is no MIC test column", hint="model columns look like AMK_NM")
    return test_column.model_name


def _write_files(
    scratch: Path, model: ModelToRegister, certificate: Mapping[str, Any], certificate_html: str
) -> tuple[dict[str, Path], dict[str, str]]:
    contents = {
        "truth_table": ("truth_table.json", canonical_json(model.table.to_json())),
        "certificate": ("certificate.json", canonical_json(certificate)),
        "certificate_page": ("certificate.html", certificate_html.encode()),
        "report": ("report.json", json.dumps(_readable(model.report), indent=1, ensure_ascii=False).encode()),
    }
    files, hashes = {}, {}
    for key, (file_name, content) in contents.items():
        files[key] = scratch / file_name
        files[key].write_bytes(content)
        hashes[f"sirena.sha256.{file_name}"] = sha256(content)
    network = scratch / f"{_model_name(model.column)}.keras"
    with undisturbed():
        model.network.save(network)
    files["network"] = network
    hashes[f"sirena.sha256.{network.name}"] = sha256(network.read_bytes())
    return files, hashes


def _readable(report: Mapping[str, Any]) -> Any:
    return json.loads(canonical_json(report))


def _log_plots(registry: Registry, run_id: str, scratch: Path, plots: Mapping[str, bytes]) -> None:
    for file_name, content in plots.items():
        path = scratch / file_name
        path.write_bytes(content)
        upload_to_run(registry, run_id, path)


def _create_version(
    client: Any, name: str, place: ModelPlace, run_id: str, tags: Mapping[str, str], description: str
) -> Any:
    return client.create_model_version(
        name,
        place.source,
        run_id=run_id,
        tags=dict(tags),
        description=description or None,
        await_creation_for=0,
        **place.version_facts,
    )


def _create_registered_model(client: Any, name: str) -> None:
    try:
        test_column = parse_test_column(name.removeprefix("modelo_"))
        client.create_registered_model(name, description=model_description(test_column.name) if test_column else None)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
