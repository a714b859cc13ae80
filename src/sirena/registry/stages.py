"""Promotion: giving a version a stage by an alias, with tags that explain it and MLflow's stage field set alike.

The order of writes is: history tag → alias (the one atomic step that decides) → stage field → removal of an old alias.
With the NGINX entry before MLflow, Sirena's gate behind it writes the history tag. If the process dies between two
writes, the alias still shows the stage, and promoting again completes the rest. See ADR 7.
"""

from dataclasses import dataclass
from typing import Any, Final

from mlflow.utils.rest_utils import http_request, verify_rest_response

from sirena.certification.gate import Verdict
from sirena.domain.errors import UsageError
from sirena.registry.certificates import certificate_digest
from sirena.registry.connection import Registry, speaks_to_mlflow
from sirena.registry.history import RecordedDecision, now, read_history, record
from sirena.registry.mlflow_quietly import undisturbed
from sirena.registry.versions import ModelVersion, Stage, find_version

_ALIAS_ROUTE: Final = "/api/2.0/mlflow/registered-models/alias"
_MARKED: Final = (Stage.STAGING, Stage.PRODUCTION)


@dataclass(frozen=True)
class Promotion:
    """What a promotion changed."""

    previous: int | None
    """Number of the version that had the stage before; None if there was none."""
    changed: bool
    """False if the version had the stage already."""


@speaks_to_mlflow
def promote(
    registry: Registry, version: ModelVersion, stage: Stage, *, approver: str, verdict: Verdict | None = None
) -> Promotion:
    """Give a version a stage.

    Args:
        registry: registry of the version.
        version: version from `find_version`.
        stage: the stage to give it.
        approver: account that decides.
        verdict: the gate's verdict, perhaps with an override; needed for staging and production.

    Raises:
        GateError: the gate refuses, and the verdict has no override.
        UsageError: the stage needs a verdict, and none was given.
    """
    if stage in _MARKED:
        if verdict is None:
            raise UsageError(f"{version} to {stage.value} needs the verdict of the gate")
        verdict.require()
    version = find_version(registry, str(version))
    evidence = certificate_digest(version)
    if _stands(version, stage, evidence):
        return Promotion(None, changed=False)
    entry = decision(version, stage, approver, other_holder(registry, version, stage), verdict)
    if not registry.signed_in_as:
        record(registry, version.name, entry, version=version.version)
    place(registry, version, stage, override=entry.override)
    return Promotion(entry.previous, changed=True)


def place(registry: Registry, version: ModelVersion, stage: Stage, *, override: str = "") -> None:
    """Move the alias and set the stage field; safe to repeat.

    Args:
        registry: registry of the version.
        version: the version.
        stage: the stage to give it.
        override: reason to do so although the gate refuses; sent along, because behind the NGINX entry the gate is
            applied again.
    """
    models, number = registry.models, str(version.version)
    if stage.alias and override and registry.signed_in_as:
        _set_alias_overriding(models, version, stage.alias, override)
    elif stage.alias:
        models.set_registered_model_alias(version.name, stage.alias, number)
    # MLflow calls stages deprecated; they still are what its users see and filter by
    with undisturbed():
        models.transition_model_version_stage(
            version.name, number, stage.value, archive_existing_versions=stage in _MARKED
        )
    for other_stage in _MARKED:
        if other_stage is not stage and other_stage.alias in version.aliases:
            models.delete_registered_model_alias(version.name, other_stage.alias)


def _set_alias_overriding(models: Any, version: ModelVersion, alias: str, reason: str) -> None:
    """Set an alias with a reason, which the NGINX entry's gate reads and MLflow's own client cannot send."""
    body = {"name": version.name, "alias": alias, "version": str(version.version), "override": reason}
    verify_rest_response(http_request(models.store.get_host_creds(), _ALIAS_ROUTE, "POST", json=body), _ALIAS_ROUTE)


def promotions(version: ModelVersion) -> list[RecordedDecision]:
    """Return the decisions about a version, the oldest first."""
    return read_history(version.tags)


def decision(
    version: ModelVersion, stage: Stage, approver: str, previous: int | None = None, verdict: Verdict | None = None
) -> RecordedDecision:
    """Return the record of giving a version a stage now, for the history.

    Args:
        version: the version.
        stage: the stage that it gets.
        approver: account that decides.
        previous: number of the version that had the stage before.
        verdict: the gate's verdict, if there is one.
    """
    return RecordedDecision(
        action="promote",
        subject=str(version),
        stage=stage.value,
        by=approver,
        at=now(),
        previous=previous,
        evidence=certificate_digest(version),
        override=verdict.overridden.reason if verdict and verdict.overridden else "",
        verdict=verdict.to_json() if verdict else {},
    )


def _stands(version: ModelVersion, stage: Stage, evidence: str) -> bool:
    """Tell whether the version has the stage by this evidence, in alias, stage field and history."""
    decisions = promotions(version)
    return (
        version.stage is stage
        and version.stage_field == stage.value
        and bool(decisions)
        and (decisions[-1].stage, decisions[-1].evidence) == (stage.value, evidence)
    )


def other_holder(registry: Registry, version: ModelVersion, stage: Stage) -> int | None:
    """Return the number of the other version that has a stage now; None if there is none, or the stage has no alias."""
    if stage.alias is None:
        return None
    number = registry.models.get_registered_model(version.name).aliases.get(stage.alias)
    return int(number) if number is not None and int(number) != version.version else None
