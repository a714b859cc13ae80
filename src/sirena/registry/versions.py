"""Versions of registered models: finding them by name, listing them, and reading their files.

A version is named ``modelo_AMK_NM/3`` (number), ``modelo_AMK_NM@production`` (alias) or ``modelo_AMK_NM`` (the
newest); ``models:/`` may stand before it. A version's files are checked against the SHA-256 in its tags before use:
tags are written once, by the process that logged the model.
"""

import enum
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Self

from mlflow.exceptions import MlflowException

from sirena.domain.errors import UsageError
from sirena.domain.truth_table import TruthTable
from sirena.registry.artifact_store import read_artifact
from sirena.registry.connection import Registry, RegistryError, speaks_to_mlflow
from sirena.registry.digests import sha256

MODEL_PREFIX: Final = "modelo_"
MAKERS_TAG: Final = "sirena.made_by"
"""Tag of a version with the makers' names as a JSON list; the NGINX entry's gate writes it at the registration."""
_REFERENCE: Final = re.compile(r"(?:models:/)?(?P<name>[^/@:]+)(?:/(?P<version>\d{1,9})|@(?P<alias>[A-Za-z_][\w-]*))?")
_LISTED: Final = 5


class Stage(enum.StrEnum):
    """The stage of a version. The value is MLflow's own name of the stage."""

    NONE = "None"
    STAGING = "Staging"
    PRODUCTION = "Production"
    ARCHIVED = "Archived"

    @property
    def alias(self) -> str | None:
        """Alias that marks the stage; None except for staging and production."""
        return self.value.lower() if self in (Stage.STAGING, Stage.PRODUCTION) else None

    @classmethod
    def named(cls, text: str) -> Self:
        """Return the stage of a name, in any letter case.

        Raises:
            UsageError: there is no such stage.
        """
        for stage in cls:
            if stage.value.lower() == text.strip().lower():
                return stage
        raise UsageError(f"there is no stage {text!r}", hint="stages are none, staging, production, archived")


class IntegrityError(RegistryError):
    """A stored file was changed after it was logged."""

    code = "integrity"


@dataclass(frozen=True)
class ModelVersion:
    """A version as the registry describes it."""

    name: str
    version: int
    aliases: tuple[str, ...]
    stage_field: str
    """MLflow's own stage field, which is set after the alias and may differ for a moment."""
    run_id: str
    created: datetime
    """Time of creation in UTC."""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def stage(self) -> Stage:
        """The stage: staging and production by aliases, which move in one step; archived by MLflow's stage field."""
        if Stage.PRODUCTION.alias in self.aliases:
            return Stage.PRODUCTION
        if Stage.STAGING.alias in self.aliases:
            return Stage.STAGING
        return Stage.ARCHIVED if self.stage_field == Stage.ARCHIVED.value else Stage.NONE

    @property
    def column(self) -> str:
        """Test column that the version answers, ``AMK_NM``."""
        return self.tags.get("sirena.column") or self.name.removeprefix(MODEL_PREFIX)

    @property
    def author(self) -> str:
        """Account that trained the version; empty for a foreign model."""
        return self.tags.get("sirena.author", "")

    @property
    def makers(self) -> tuple[str, ...]:
        """Other accounts involved, as recorded at the registration: makers of its run or of its source."""
        names = self.tags.get(MAKERS_TAG, "")
        try:
            return tuple(map(str, json.loads(names))) if names else ()
        except (ValueError, TypeError):  # only the entry writes it; what is no list of names stands for nobody we know
            return (names,)

    @property
    def is_ours(self) -> bool:
        """True if the version has a truth table logged by Sirena."""
        return f"sirena.sha256.{TRUTH_TABLE}" in self.tags

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


TRUTH_TABLE: Final = "truth_table.json"
REPORT: Final = "report.json"


@speaks_to_mlflow
def find_version(registry: Registry, reference: str) -> ModelVersion:
    """Return the version that a text names.

    Args:
        registry: registry of the version.
        reference: ``modelo_AMK_NM@production``, ``modelo_AMK_NM/3`` or ``modelo_AMK_NM`` (the newest).

    Raises:
        UsageError: the text is not such a name, or no version has it.
    """
    match = _REFERENCE.fullmatch(reference.strip())
    if match is None:
        raise UsageError(
            f"{reference!r} names no model version",
            hint="write modelo_AMK_NM@production, modelo_AMK_NM/3 or modelo_AMK_NM",
        )
    name = match["name"]
    if match["version"]:
        return _numbered(registry, name, int(match["version"]))
    model = _registered_model(registry, name)
    aliases = {alias: int(version) for alias, version in model.aliases.items()}
    if match["alias"] and match["alias"].lower() != "latest":
        number = aliases.get(match["alias"].lower())
        if number is None:
            listing = ", ".join(f"@{alias}" for alias in sorted(aliases)) or "none yet"
            raise UsageError(
                f"{name} has no version @{match['alias']}",
                hint=f"its aliases: {listing}; promote one with `sirena promote {name}/VERSION --to {match['alias']}`",
            )
    else:
        number = max((candidate.version for candidate in list_versions(registry, name)), default=0)
    return _numbered(registry, name, number)


def _numbered(registry: Registry, name: str, number: int) -> ModelVersion:
    """Return a version by its number; 0 is none."""
    try:
        row = registry.models.get_model_version(name, str(number))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        _registered_model(registry, name)
        versions = [str(row.version) for row in list_versions(registry, name)]
        raise UsageError(
            f"{name} has no version {number or ''}".rstrip(),
            hint=f"it has {', '.join(versions[-_LISTED:])}" if versions else "train it with `sirena train`",
        ) from None
    return _describe(row, dict.fromkeys(row.aliases, number))


@speaks_to_mlflow
def list_versions(registry: Registry, name: str) -> list[ModelVersion]:
    """Return a registered model's versions, the oldest first; none if the model is not registered."""
    rows = all_pages(lambda token: registry.models.search_model_versions(f"name = '{name}'", page_token=token))
    if not rows:
        return []
    aliases = {alias: int(number) for alias, number in _registered_model(registry, name).aliases.items()}
    return sorted((_describe(version, aliases) for version in rows), key=lambda version: version.version)


@speaks_to_mlflow
def list_all_versions(registry: Registry) -> dict[str, list[ModelVersion]]:
    """Return the versions of every registered antimicrobial model by name, the oldest first, with few requests."""
    aliases = list_models(registry)
    versions = all_pages(
        lambda token: registry.models.search_model_versions(f"name LIKE '{MODEL_PREFIX}%'", page_token=token)
    )
    versions_by_model: dict[str, list[ModelVersion]] = {}
    for version in (_describe(row, aliases.get(str(row.name), {})) for row in versions):
        versions_by_model.setdefault(version.name, []).append(version)
    return {
        name: sorted(versions_by_model[name], key=lambda version: version.version) for name in sorted(versions_by_model)
    }


@speaks_to_mlflow
def number_in_production(registry: Registry, name: str) -> int | None:
    """Return the number of a model's version in production, by alias or by the stage field alone; None without one."""
    try:
        model = registry.models.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
    by_field = [row.version for row in model.latest_versions or () if row.current_stage == Stage.PRODUCTION.value]
    numbers = [model.aliases.get(Stage.PRODUCTION.alias), *by_field]
    return next((int(number) for number in numbers if number is not None), None)


@speaks_to_mlflow
def list_models(registry: Registry) -> dict[str, dict[str, int]]:
    """Return the registered antimicrobial models: for each name, the version number of each alias."""
    models = all_pages(
        lambda token: registry.models.search_registered_models(f"name LIKE '{MODEL_PREFIX}%'", page_token=token)
    )
    return {
        model.name: {alias: int(version) for alias, version in model.aliases.items()}
        for model in sorted(models, key=lambda model: str(model.name))
    }


@speaks_to_mlflow
def read_files(registry: Registry, version: ModelVersion, *file_names: str) -> list[bytes]:
    """Return files stored with a version, each checked against the hash in its tags.

    Args:
        registry: registry of the version.
        version: the version.
        file_names: files logged with the model (``report.json``), or paths of files attached later.

    Raises:
        UsageError: the version has no such file, since it was not logged by Sirena.
        IntegrityError: a stored file was changed after logging.
    """
    for file_name in file_names:
        if f"sirena.sha256.{file_name}" not in version.tags:
            raise UsageError(
                f"{version} holds no {file_name}",
                hint="it was not logged by Sirena; `sirena certify` can still ask it",
            )
    location = location_of(registry, version)
    return [_checked_content(registry, version, location, file_name) for file_name in file_names]


@speaks_to_mlflow
def location_of(registry: Registry, version: ModelVersion) -> str:
    """Return the artifact location of a version's files."""
    locations = registry.read_once.locations if registry.read_once is not None else {}
    if str(version) not in locations:
        locations[str(version)] = str(
            registry.models.get_model_version_download_uri(version.name, str(version.version))
        )
    return locations[str(version)]


def read_file(registry: Registry, version: ModelVersion, file_name: str) -> bytes:
    """Return one file stored with a version (see `read_files`)."""
    [content] = read_files(registry, version, file_name)
    return content


def _checked_content(registry: Registry, version: ModelVersion, location: str, file_name: str) -> bytes:
    content = read_artifact(registry, location, file_name if "/" in file_name else f"artifacts/{file_name}")
    if sha256(content) != version.tags[f"sirena.sha256.{file_name}"]:
        raise IntegrityError(
            f"{file_name} of {version} was changed after it was logged",
            hint="do not use this version; restore the artifact store from a backup or train again",
        )
    return content


def load_table(registry: Registry, version: ModelVersion) -> TruthTable:
    """Return the truth table of a version; errors are those of `read_file`."""
    return TruthTable.from_json(json.loads(read_file(registry, version, TRUTH_TABLE)))


def _registered_model(registry: Registry, name: str) -> Any:
    try:
        return registry.models.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        names = list(list_models(registry))
        some = ", ".join(names[:_LISTED]) + (" …" if len(names) > _LISTED else "")
        raise UsageError(
            f"there is no registered model {name!r}",
            hint=f"registered: {some}" if names else "none is registered yet; run `sirena train`",
        ) from None


def _describe(row: Any, aliases: Mapping[str, int]) -> ModelVersion:
    number = int(row.version)
    return ModelVersion(
        name=str(row.name),
        version=number,
        aliases=tuple(sorted(alias for alias, target in aliases.items() if target == number)),
        stage_field=str(row.current_stage),
        run_id=str(row.run_id or ""),
        created=datetime.fromtimestamp(row.creation_timestamp / 1000, UTC),
        tags=dict(row.tags),
    )


def all_pages(read_page: Callable[[Any], Any]) -> list[Any]:
    """Return everything that MLflow lists page by page; ``ask`` gets the token of each page."""
    rows: list[Any] = []
    token = None
    while True:
        page = read_page(token)
        rows += page
        token = page.token
        if not token:
            return rows
