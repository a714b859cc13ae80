"""What the entry's gate decided about a change of stage, and how that gets on record, in the order of ADR 7."""

from dataclasses import asdict, replace
from typing import Any

from sirena.access.upstream import Ruling
from sirena.certification.gate import Outcome, Verdict
from sirena.cli.noted_files import NotedFiles
from sirena.domain.errors import UsageError
from sirena.ledger.judgements import Judgements
from sirena.registry import activation
from sirena.registry.connection import Registry
from sirena.registry.history import Entry, now, record
from sirena.registry.judged_releases import ReleaseFacts, facts_of, require_judged_release
from sirena.registry.judging import RegisteredJudge
from sirena.registry.model_files import require_unchanged
from sirena.registry.releases import RELEASE_MODEL, Member, Release, find_release
from sirena.registry.stages import decision, other_holder, promotions
from sirena.registry.versions import ModelVersion, Stage, find_version


def judge_version(judge: RegisteredJudge, noted: NotedFiles, reference: str, stage: Stage, override: str) -> Ruling:
    """Judge a version for staging or production.

    Args:
        judge: the gate.
        noted: what the ledger noted of files.
        reference: names the version.
        stage: the stage it shall have.
        override: reason to give it although the gate refuses.

    Raises:
        GateError: the gate refuses and is not overridden, the version is not proved, or its files were changed.
    """
    version = find_version(judge.registry, reference)
    files = noted.to_note(version)
    verdict = judge.judge(version, stage, overriding=bool(override))
    facts = verdict_facts(verdict)
    if override:
        verdict = verdict.override(judge.approver, override)
    verdict.require()
    entry = decision(version, stage, judge.approver, other_holder(judge.registry, version, stage), verdict)
    overridden = None
    if verdict.overridden:
        overridden = _overridden(str(version), stage, entry.override, facts["criteria"], entry.evidence)
    facts |= {"previous": entry.previous, "evidence": entry.evidence, "files": files}
    return Ruling(facts, overridden, lambda: _announce(judge.registry, version, entry))


def verdict_facts(verdict: Verdict) -> dict[str, Any]:
    """Return what the ledger learns of a verdict: the gate, and which criteria refused or were waived."""
    return {
        "gate": verdict.gate_digest,
        "criteria": tuple(finding.criterion for finding in verdict.refusals),
        "waived": tuple(one.criterion for one in verdict.findings if one.outcome is Outcome.WAIVED),
    }


def is_rollback(judgements: Judgements, version: str) -> bool:
    """Tell whether activating this release would return to the one that the active one replaced, by the ledger."""
    target = judgements.rollback
    return target is not None and target.release == f"{RELEASE_MODEL}/{int(version)}"


def judge_release(
    judge: RegisteredJudge, judgements: Judgements, noted: NotedFiles, version: str, override: str
) -> Ruling:
    """Judge a release for answering, unless it is the one to roll back to.

    Args:
        judge: the gate.
        judgements: what the ledger holds of releases.
        noted: what the ledger noted of files.
        version: number of the release.
        override: reason to activate although members are refused.

    Raises:
        GateError: members are refused and nobody overrides it, or the release is not proved.
        UnjudgedReleaseError: the release to roll back to is not what was judged.
    """
    registry, approver = judge.registry, judge.approver
    release = find_release(registry, version)
    before = judgements.active
    previous = int(before.release.rpartition("/")[2]) if before else None
    target = judgements.rollback
    if target is not None and is_rollback(judgements, version):
        facts = require_judged_release(registry, target, release)
        require_unchanged(release.source, target.files, noted.require(release.source))
        return _switch(registry, release, facts, previous, activation.ROLLBACK, approver, "", {})

    def judged(member: Member) -> Verdict:
        noted.require(find_version(registry, member.reference))
        return judge.judge_member(member, overriding=bool(override))

    refused = activation.judge_release(registry, release, approver=approver, judge=judged, override=override)
    if judge.prover is not None:
        judge.prover.prove_release(release)
    outcome = activation.activation_record(release, refused)
    facts = replace(facts_of(registry, release), files=noted.require(release.source))
    return _switch(
        registry, release, facts, previous, activation.ACTIVATE, approver, override if refused else "", outcome
    )


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
    entry = decision(found, given, who)
    return Ruling(facts, None, lambda: _announce(registry, found, entry))


def _announce(registry: Registry, version: ModelVersion, entry: Entry) -> None:
    """Put a decision on the version's record, as of now: after the ledger's intention, whenever it was judged."""
    record(registry, version.name, replace(entry, at=now()), version=version.version)


def _switch(
    registry: Registry,
    release: Release,
    facts: ReleaseFacts,
    previous: int | None,
    action: str,
    approver: str,
    override: str,
    outcome: dict[str, Any],
) -> Ruling:
    announced: list[Entry] = []
    return Ruling(
        {**asdict(facts), "previous": previous},
        _overridden(release.name, Stage.PRODUCTION, override, tuple(outcome["refused"]), release.digest)
        if override
        else None,
        lambda: announced.append(activation.announce(registry, release, action, approver, override, outcome)),
        lambda: activation.confirm(registry, announced[-1]),
    )


def _overridden(subject: str, stage: Stage, reason: str, criteria: tuple[str, ...], evidence: str) -> dict[str, Any]:
    return {"subject": subject, "stage": stage.value, "reason": reason, "criteria": criteria, "evidence": evidence}
