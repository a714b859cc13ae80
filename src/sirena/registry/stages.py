"""Promotion: the stage of a version, given by an alias, explained by tags, mirrored in MLflow's stage field.

Order of writes: history tag → alias (the one atomic step that counts) → stage field → stale alias removed.
Whatever dies between two of them, the alias tells the truth and promoting again completes the rest. See ADR 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sirena.certification.gate import Verdict
from sirena.domain.errors import UsageError
from sirena.registry.certificates import certificate_digest
from sirena.registry.connection import Registry, speaks_to_mlflow
from sirena.registry.history import Entry, now, read_history, record
from sirena.registry.mlflow_quietly import undisturbed
from sirena.registry.versions import ModelVersion, Stage, find_version

APPROVER_TAG: Final = "sirena.approver"
EVIDENCE_TAG: Final = "sirena.evidence_digest"
_MARKED: Final = (Stage.STAGING, Stage.PRODUCTION)


@dataclass(frozen=True)
class Promotion:
    """What a promotion did."""

    version: ModelVersion
    """The version afterwards."""
    previous: int | None
    """Version that held the stage before."""
    changed: bool
    """False when the version stood there already."""


@speaks_to_mlflow
def promote(
    registry: Registry, version: ModelVersion, stage: Stage, *, approver: str, verdict: Verdict | None = None
) -> Promotion:
    """Give a version a stage.

    Args:
        registry: where.
        version: the version, from `find_version`.
        stage: the stage it shall have.
        approver: who decides.
        verdict: what the gate says, an override with its reason included; needed for staging and production.

    Raises:
        GateError: the gate refuses and nobody overrides it.
        UsageError: a stage that needs a verdict was asked for without one.
    """
    if stage in _MARKED:
        if verdict is None:
            raise UsageError(f"{version} to {stage.value} needs the verdict of the gate")
        verdict.require()
    version = find_version(registry, str(version))
    evidence = certificate_digest(version)
    previous = _holder(registry, version.name, stage)
    if _stands(version, stage) and version.tags.get(EVIDENCE_TAG, "") == evidence:
        return Promotion(version, None, changed=False)
    entry = Entry(
        action="promote",
        subject=str(version),
        stage=stage.value,
        by=approver,
        at=now(),
        previous=previous if previous != version.version else None,
        evidence=evidence,
        override=verdict.overridden.reason if verdict and verdict.overridden else "",
        verdict=verdict.to_json() if verdict else {},
    )
    record(registry, version.name, entry, version=version.version)
    _tag(registry, version, {APPROVER_TAG: approver, EVIDENCE_TAG: evidence})
    place(registry, version, stage)
    return Promotion(find_version(registry, str(version)), entry.previous, changed=True)


def place(registry: Registry, version: ModelVersion, stage: Stage) -> None:
    """Move alias and stage field; safe to repeat."""
    client, number = registry.client, str(version.version)
    if stage.alias:
        client.set_registered_model_alias(version.name, stage.alias, number)
    # MLflow calls stages deprecated; they still are what its users see and filter by
    with undisturbed():
        client.transition_model_version_stage(
            version.name, number, stage.value, archive_existing_versions=stage in _MARKED
        )
    for other in _MARKED:
        if other is not stage and other.alias in version.aliases:
            client.delete_registered_model_alias(version.name, other.alias)


def promotions(version: ModelVersion) -> list[Entry]:
    """Return the decisions about a version, oldest first."""
    return read_history(version.tags)


def _stands(version: ModelVersion, stage: Stage) -> bool:
    return version.stage is stage and version.stage_field == stage.value


def _holder(registry: Registry, name: str, stage: Stage) -> int | None:
    if stage.alias is None:
        return None
    number = registry.client.get_registered_model(name).aliases.get(stage.alias)
    return int(number) if number is not None else None


def _tag(registry: Registry, version: ModelVersion, tags: Mapping[str, str]) -> None:
    for key, value in tags.items():
        if version.tags.get(key, "") != value:
            registry.client.set_model_version_tag(version.name, str(version.version), key, value)
