"""The place of a logged model's files: the only module that distinguishes MLflow 2 from MLflow 3.

MLflow 3 has logged models with their own files, named ``models:/m-…``, and a status. In MLflow 2 a model is a folder
among the artifacts of its run. All else that Sirena uses is the same in both; `make test-compat` runs the chain on
MLflow 2.17.1. ADR 16 says why Sirena does not ship that version.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mlflow import entities
from mlflow.models import Model

from sirena.registry.artifact_store import upload_folder
from sirena.registry.connection import Registry

_RUN_FOLDER: Final = "model"
"""Folder of a model among its run's artifacts, in MLflow 2."""
_HAS_LOGGED_MODELS: Final = hasattr(entities, "LoggedModelStatus")


@dataclass(frozen=True)
class ModelPlace:
    """A place reserved for one model, before its files are stored."""

    location: str
    """Artifact location of the files."""
    source: str
    """Source that a registered version names."""
    identity: Model
    """MLflow's description of the model, with the ids of run and logged model."""
    version_facts: Mapping[str, str] = field(default_factory=dict)
    """Further arguments for MLflow's call that creates a version."""
    files: tuple[str, ...] = ()
    """What was stored there, ``SHA-256 path``; none before."""

    def fill(self, registry: Registry, folder: Path) -> None:
        """Store the files, then set the logged model's status to ready, if MLflow has one."""
        upload_folder(registry, self.location, folder)
        if "model_id" in self.version_facts:
            registry.client.finalize_logged_model(self.version_facts["model_id"], entities.LoggedModelStatus.READY)


def take_place(registry: Registry, run_id: str, name: str) -> ModelPlace:
    """Reserve a place for the model of a run.

    Args:
        registry: registry of the model.
        run_id: run that made the model.
        name: name of the logged model.
    """
    return _logged_model(registry, run_id, name) if _HAS_LOGGED_MODELS else _folder_of_run(registry, run_id)


def _logged_model(registry: Registry, run_id: str, name: str) -> ModelPlace:
    model: Any = registry.client.create_logged_model(registry.experiment_id, name=name, source_run_id=run_id)
    location, model_id = str(model.artifact_location), str(model.model_id)
    identity = Model(artifact_path=location, run_id=run_id, model_uuid=model_id, model_id=model_id)
    return ModelPlace(location, f"models:/{model_id}", identity, {"model_id": model_id})


def _folder_of_run(registry: Registry, run_id: str) -> ModelPlace:
    location = f"{registry.client.get_run(run_id).info.artifact_uri}/{_RUN_FOLDER}"
    return ModelPlace(location, location, Model(artifact_path=_RUN_FOLDER, run_id=run_id))
