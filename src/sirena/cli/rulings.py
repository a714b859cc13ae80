"""What the entry's gate decided about a change of stage, and how that gets on record, in the order of ADR 7."""

from typing import Any

from sirena.access.upstream import Ruling
from sirena.certification.gate import Outcome, Verdict
from sirena.domain.errors import UsageError
from sirena.registry import activation
from sirena.registry.certificates import certificate_digest
from sirena.registry.connection import Registry
from sirena.registry.history import Entry, now, record
from sirena.registry.judging import RegisteredJudge
from sirena.registry.releases import RELEASE_MODEL, Member, Release, find_release
from sirena.registry.stages import promotions
from sirena.registry.versions import ModelVersion, Stage, find_version


def judge_version(judge: RegisteredJudge, reference: str, stage: Stage, override: str) -> Ruling:
    """Judge a version for staging or production.

    Raises:
        GateError: the gate refuses and is not overridden, or the version is not proved.
    """
    version = find_version(judge.registry, reference)
    verdict = judge.judge(version, stage, overriding=bool(override))
    refusals = tuple(finding.criterion for finding in verdict.refusals)
    if override:
        verdict = verdict.override(judge.approver, override)
    verdict.require()
    previous = _holder(judge.registry, version, stage)
    evidence = certificate_digest(version)
    facts = {
        "previous": previous,
        "evidence": evidence,
        "gate": verdict.gate_digest,
        "criteria": refusals,
        "waived": tuple(one.criterion for one in verdict.findings if one.outcome is Outcome.WAIVED),
    }
    overridden = None
    if verdict.overridden:
        overridden = _overridden(str(version), stage, verdict.overridden.reason, refusals, evidence)
    entry = _entry(version, stage, judge.approver, previous, verdict)
    return Ruling(facts, overridden, lambda: record(judge.registry, version.name, entry, version=version.version))


def is_rollback(registry: Registry, version: str) -> bool:
    """Tell whether activating this release would return to the one that the active one replaced."""
    try:
        active = find_release(registry, "active")
    except UsageError:
        return False
    return activation.replaced_by(registry, active.version) == int(version)


def judge_release(judge: RegisteredJudge, version: str, override: str) -> Ruling:
    """Judge a release for answering, unless it is the one to roll back to.

    Raises:
        GateError: members are refused and nobody overrides it, or the release is not proved.
    """
    registry, approver = judge.registry, judge.approver
    release = find_release(registry, version)
    if is_rollback(registry, version):
        return _switch(registry, release, activation.ROLLBACK, approver, "", {})

    def judged(member: Member) -> Verdict:
        return judge.judge_member(member, overriding=bool(override))

    refused = activation.judge_release(registry, release, approver=approver, judge=judged, override=override)
    if judge.prover is not None:
        judge.prover.prove_release(release)
    outcome = activation.activation_record(release, refused)
    return _switch(registry, release, activation.ACTIVATE, approver, override if refused else "", outcome)


def leave(registry: Registry, model: str, version: str, stage: str, who: str) -> Ruling | None:
    """Say how to record that a version leaves a stage.

    Args:
        registry: where.
        model: registered model.
        version: its number; empty for whichever has the alias of ``stage``, which is taken away.
        stage: the stage it is given, or the one whose alias is taken away.
        who: account that decides.

    Returns:
        None when there is no such version, or when its last decision says so already.
    """
    given = Stage.NONE if not version else Stage.named(stage)
    try:
        found = find_version(registry, f"{model}/{version}" if version else f"{model}@{Stage.named(stage).alias}")
    except UsageError:
        return None
    facts = {"model": model, "version": found.version, "stage": given.value}
    if model == RELEASE_MODEL:
        # what answered when stands with the activations; a release that is taken away is in the ledger only
        return Ruling(facts)
    decided = promotions(found)
    last = decided[-1].stage if decided else Stage.NONE.value
    if last == given.value or (not version and last != Stage.named(stage).value):
        return None
    entry = _entry(found, given, who, None, None)
    return Ruling(facts, None, lambda: record(registry, model, entry, version=found.version))


def _switch(
    registry: Registry, release: Release, action: str, approver: str, override: str, outcome: dict[str, Any]
) -> Ruling:
    announced: list[Entry] = []
    previous = registry.models.get_registered_model(release.source.name).aliases.get(Stage.PRODUCTION.alias)
    return Ruling(
        {"digest": release.digest, "previous": int(previous) if previous is not None else None},
        _overridden(release.name, Stage.PRODUCTION, override, tuple(outcome["refused"]), release.digest)
        if override
        else None,
        lambda: announced.append(activation.announce(registry, release, action, approver, override, outcome)),
        lambda: activation.confirm(registry, announced[-1]),
    )


def _entry(version: ModelVersion, stage: Stage, who: str, previous: int | None, verdict: Verdict | None) -> Entry:
    return Entry(
        action="promote",
        subject=str(version),
        stage=stage.value,
        by=who,
        at=now(),
        previous=previous,
        evidence=certificate_digest(version),
        override=verdict.overridden.reason if verdict and verdict.overridden else "",
        verdict=verdict.to_json() if verdict else {},
    )


def _holder(registry: Registry, version: ModelVersion, stage: Stage) -> int | None:
    """Return the other version that has a stage now."""
    number = registry.models.get_registered_model(version.name).aliases.get(stage.alias)
    return int(number) if number is not None and int(number) != version.version else None


def _overridden(subject: str, stage: Stage, reason: str, criteria: tuple[str, ...], evidence: str) -> dict[str, Any]:
    return {"subject": subject, "stage": stage.value, "reason": reason, "criteria": criteria, "evidence": evidence}
