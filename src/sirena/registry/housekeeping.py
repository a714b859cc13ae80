"""Removing unneeded model versions from the registry, and then the files of stored models that no version names.

A version is checked again right before its removal. MLflow removes it in one step; then no version names its stored
model. The files of such models, except certificates, are deleted, and the models themselves last. So a run that dies at
any point is completed by the next one.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from sirena.registry.activation import served_periods
from sirena.registry.artifact_store import local_folder
from sirena.registry.certificates import CERTIFICATES, LOGGED_CERTIFICATE
from sirena.registry.connection import Registry, speaks_to_mlflow
from sirena.registry.history import read_history
from sirena.registry.models import DIGEST_TAG
from sirena.registry.registered_artifacts import identifiers_of_versions
from sirena.registry.releases import RELEASE_MODEL, list_releases
from sirena.registry.retention import Retention, Stock, StoredRelease, StoredVersion, needs
from sirena.registry.versions import MODEL_PREFIX, TRUTH_TABLE, Stage, all_pages

_ARTIFACTS: Final = "artifacts"
_KEPT: Final = frozenset(
    {CERTIFICATES, f"{_ARTIFACTS}/{LOGGED_CERTIFICATE}", f"{_ARTIFACTS}/{Path(LOGGED_CERTIFICATE).stem}.html"}
)
"""Files of a stored model that are never removed: its certificates."""


@dataclass(frozen=True)
class Inventory:
    """The model versions and releases in the registry at one moment."""

    stock: Stock
    release_marks: tuple[str, ...]
    """Facts that change if releases are made or switched, see `_releases_seen`."""


@dataclass(frozen=True)
class StoredModel:
    """A stored (logged) model that no version names."""

    id: str
    name: str
    location: str
    run_id: str
    run_is_named: bool
    """True if a version names the run; then the run's files are kept."""


@speaks_to_mlflow
def take_stock(registry: Registry) -> Inventory:
    """Return every version of every registered model, and every release.

    Raises:
        RegistryError: MLflow does not answer.
    """
    # first: a release made after this is seen by the look before each removal
    release_marks = _release_marks(registry)
    # one question about all models; its answers are without aliases, those about models have them
    rows = all_pages(lambda token: registry.models.search_model_versions(None, page_token=token))
    aliases: dict[tuple[str, int], set[str]] = {}
    for model in all_pages(lambda token: registry.models.search_registered_models(None, page_token=token)):
        for alias, number in model.aliases.items():
            aliases.setdefault((str(model.name), int(number)), set()).add(str(alias))
    versions = [_stored_version(row, aliases.get((str(row.name), int(row.version)), set())) for row in rows]
    releases = list_releases(registry)
    answering_releases = {period.release for period in served_periods(registry)} if releases else set()
    stock = Stock(
        tuple(row for row in versions if row.model != RELEASE_MODEL),
        tuple(
            StoredRelease(
                members=frozenset(release.members.values()),
                created=release.created,
                aliases=frozenset(release.source.aliases),
                answered=release.version in answering_releases,
            )
            for release in releases
        ),
    )
    return Inventory(stock, release_marks)


class Collection:
    """An inventory, and the removal of its unneeded versions; the inventory is read again if the registry changed."""

    def __init__(self, registry: Registry, retention: Retention) -> None:
        """Read the inventory."""
        self._registry = registry
        self._retention = retention
        self._renew()

    def _renew(self) -> None:
        self.inventory = take_stock(self._registry)
        self.needs = needs(self.inventory.stock, self._retention, datetime.now(UTC))
        """The reason to keep each needed version, by reference; all other versions are unneeded."""

    @property
    def unneeded(self) -> list[StoredVersion]:
        """The unneeded versions, sorted by model and number."""
        versions = (version for version in self.inventory.stock.versions if version.reference not in self.needs)
        return sorted(versions, key=lambda version: (version.model, version.number))

    def remove(self, version: StoredVersion) -> bool:
        """Remove a version, if it is still unneeded. Returns False if it is needed now, or gone.

        Raises:
            RegistryError: MLflow does not answer, or refuses.
        """
        return _remove(self._registry, self, version)

    def still_unneeded(self, version: StoredVersion, row: Any) -> bool:
        """Tell whether a version is still unneeded: unchanged, like the releases, and not copied meanwhile."""
        registry = self._registry
        if _stored_version(row, row.aliases) != version or _release_marks(registry) != self.inventory.release_marks:
            self._renew()
        copies = registry.models.search_model_versions(f"source_path = 'models:/{version.reference}'", max_results=1)
        return version.reference not in self.needs and not copies


@speaks_to_mlflow
def _remove(registry: Registry, collection: Collection, version: StoredVersion) -> bool:
    try:
        row = registry.models.get_model_version(version.model, str(version.number))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return False
    if not collection.still_unneeded(version, row):
        return False
    registry.models.delete_model_version(version.model, str(version.number))
    return True


@speaks_to_mlflow
def unnamed_models(registry: Registry, retention: Retention) -> list[StoredModel]:
    """Return Sirena's stored models, except young ones, that no version names: removed, or never registered.

    Args:
        registry: registry of the models.
        retention: retention; its days protect models that are being registered now.
    """
    before = (datetime.now(UTC) - timedelta(days=retention.days)).timestamp() * 1000
    models = all_pages(lambda token: registry.client.search_logged_models([registry.experiment_id], page_token=token))
    # after the models: what is registered meanwhile is named
    named_ids = identifiers_of_versions(registry)
    return [
        StoredModel(
            str(model.model_id),
            str(model.name),
            str(model.artifact_location),
            str(model.source_run_id),
            run_is_named=model.source_run_id in named_ids,
        )
        for model in models
        if (model.name == RELEASE_MODEL or str(model.name).startswith(MODEL_PREFIX))
        and model.model_id not in named_ids
        and model.creation_timestamp <= before
        and _logged_by_us(registry, model.source_run_id)
    ]


@speaks_to_mlflow
def free(registry: Registry, model: StoredModel) -> bool:
    """Remove the files of a stored model and of its run, except certificates, and then the model; safe to repeat.

    The run's parameters, metrics and tags stay; its files stay too if a version names the run.

    Returns:
        False if a version names the model meanwhile; then nothing was done.
    """
    client = registry.client
    if registry.models.search_model_versions(f"source_path = 'models:/{model.id}'", max_results=1):
        return False
    _clear(registry, model.location, lambda path: client.list_logged_model_artifacts(model.id, path))
    if not model.run_is_named:
        run_location = client.get_run(model.run_id).info.artifact_uri
        _clear(registry, run_location, lambda path: client.list_artifacts(model.run_id, path))
    client.delete_logged_model(model.id)
    return True


def _clear(registry: Registry, location: str, list_files: Callable[[str | None], list[Any]]) -> None:
    folder = local_folder(registry, location)
    if folder is not None:
        _clear_folder(folder)
        return
    store = get_artifact_repository(location)
    top = [str(file.path) for file in list_files(None)]
    inner = [str(file.path) for file in list_files(_ARTIFACTS)] if _ARTIFACTS in top else []
    for path in [*(path for path in top if path != _ARTIFACTS), *inner]:
        if path not in _KEPT:
            store.delete_artifacts(path)


def _clear_folder(folder: Path) -> None:
    paths = [*folder.glob("*"), *(folder / _ARTIFACTS).glob("*")]
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if name == _ARTIFACTS or name in _KEPT:
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _logged_by_us(registry: Registry, run_id: str | None) -> bool:
    if not run_id:
        return False
    try:
        return DIGEST_TAG in registry.client.get_run(run_id).data.tags
    except MlflowException:
        return False


def _release_marks(registry: Registry) -> tuple[str, ...]:
    """Return facts that change if a release is made or switched: newest numbers, aliases and history."""
    try:
        model = registry.models.get_registered_model(RELEASE_MODEL)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return ()
    aliases = (f"{name}={number}" for name, number in sorted(model.aliases.items()))
    return (*sorted(str(version.version) for version in model.latest_versions), *sorted(model.tags), *aliases)


def _stored_version(row: Any, aliases: Any) -> StoredVersion:
    history = read_history(row.tags)
    return StoredVersion(
        model=str(row.name),
        number=int(row.version),
        created=datetime.fromtimestamp(row.creation_timestamp / 1000, UTC),
        aliases=frozenset(map(str, aliases)),
        stage_field=str(row.current_stage),
        was_in_production=any(entry.stage == Stage.PRODUCTION.value for entry in history),
        ours=str(row.name).startswith(MODEL_PREFIX) and f"sirena.sha256.{TRUTH_TABLE}" in row.tags,
        source=str(row.source),
    )
