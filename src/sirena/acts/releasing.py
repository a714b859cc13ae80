"""Making, activating and rolling back releases, by a command or by the entry for the sender of a request."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sirena.access.events import ActOrigin
from sirena.access.ruling import Ruling
from sirena.acts.experiment import mend_experiment
from sirena.acts.judged import judgements_of
from sirena.acts.noted_files import NotedFiles
from sirena.acts.recording import actor, origin_of, recorded, recorded_as
from sirena.acts.verdicts import override_facts
from sirena.certification.gate import Verdict
from sirena.domain.errors import UsageError
from sirena.ledger.acts import Act
from sirena.ledger.catalogue import Activated, Overridden, ReleaseCreated, RolledBack
from sirena.ledger.judgements import Judgements
from sirena.panel.compiled import ACTIVE
from sirena.registry import activation, releases
from sirena.registry.activation import Activation
from sirena.registry.connection import Registry
from sirena.registry.history import RecordedDecision
from sirena.registry.judged_releases import UnjudgedReleaseError, facts_of, require_judged_release
from sirena.registry.judging import RegisteredJudge
from sirena.registry.model_files import require_unchanged
from sirena.registry.proof import require_tables_of_members
from sirena.registry.releases import RELEASE_MODEL, Member, Release, find_release
from sirena.registry.versions import ModelVersion, Stage, find_version


def create_release(
    registry: Registry,
    versions: Sequence[ModelVersion],
    *,
    author: str,
    note: str = "",
    by: ActOrigin | None = None,
) -> Release:
    """Make a release of model versions, and record that.

    Args:
        registry: of the versions.
        versions: one for each test column.
        author: account that the release names as its author.
        note: one line for people to read.
        by: who makes it through the entry; None for the user who runs the command.
    """
    mend_experiment(registry)
    event = ReleaseCreated(**(by or actor(registry.settings)), members=tuple(map(str, versions)))
    with recorded_as(registry.settings, event) as act:
        release = releases.create_release(registry, versions, author=author, note=note)
        files = () if registry.signed_in_as else NotedFiles.of_registry(registry).to_note(release.source)
        act.learn(release=release.name, digest=release.digest, files=files)
    return release


def activate(registry: Registry, release: Release, judge: RegisteredJudge, override: str = "") -> Activation:
    """Make a release the one that answers, unless the gate refuses members without being overridden."""
    registry = registry.reading_once()
    judge = judge.reading(registry)
    # through the entry its ledger is the one that counts, and its server proves what is activated
    noted_files = None if registry.signed_in_as else NotedFiles.of_registry(registry)
    refused_members: list[str] = []
    members: dict[str, ModelVersion] = {}

    def judge_member(member: Member) -> Verdict:
        version = find_version(registry, member.reference)
        if noted_files is not None:
            noted_files.require(version)
        verdict = judge.judge(version, Stage.PRODUCTION)
        members[member.column] = version
        if not verdict.meets_all_criteria:
            refused_members.append(member.reference)
        return verdict

    if noted_files is not None:
        judgements_of(registry.settings)  # on a ledger that is not what was written nothing is activated
    with recorded(registry.settings, Activated, release=release.name, digest=release.digest) as act:

        def announce_switch() -> None:
            facts = facts_of(registry, release)
            if noted_files is not None:
                require_tables_of_members(registry, release, members)
                facts = replace(facts, files=noted_files.require(release.source))
            act.announce(**asdict(facts))

        switch = activation.activate(
            registry,
            release,
            approver=judge.approver,
            judge=judge_member,
            override=override,
            announce_switch=announce_switch,
        )
        act.learn(previous=switch.previous)
        if refused_members and override.strip():
            reasons = override_facts(
                release.name, Stage.PRODUCTION, override, tuple(sorted(refused_members)), release.digest
            )
            act.further.append(Overridden(**origin_of(act.event), **reasons))
        if not switch.changed:
            act.nothing_to_do()
    return switch


def roll_back(registry: Registry) -> Activation:
    """Activate the release that the active one replaced, if its files are still those that were judged."""
    approver = registry.settings.effective_user
    with recorded(registry.settings, RolledBack) as act:
        target = None if registry.signed_in_as else _announced_target(registry, act)
        switch = activation.roll_back(registry, approver=approver, to=target)
        act.learn(release=switch.release.name, digest=switch.release.digest, previous=switch.previous)
    return switch


def is_rollback(judgements: Judgements, version: str) -> bool:
    """Tell whether a release is the one that the active one replaced, by the ledger."""
    target = judgements.rollback
    return target is not None and target.release == f"{RELEASE_MODEL}/{int(version)}"


def judge_release(
    judge: RegisteredJudge, judgements: Judgements, noted_files: NotedFiles, version: str, override: str, by: ActOrigin
) -> Ruling:
    """Judge a release for answering, and return the ruling; a rollback is not judged again.

    Args:
        judge: the gate.
        judgements: of releases, from the ledger.
        noted_files: files noted in the ledger.
        version: number of the release.
        override: reason for overriding the gate; empty for none.
        by: who decides.

    Raises:
        GateError: members are refused and the gate is not overridden, or the release is not proved.
        UnjudgedReleaseError: the file of the release to roll back to is not the one judged.
    """
    registry, approver = judge.registry, judge.approver
    release = find_release(registry, version)
    before = judgements.active
    previous = int(before.release.rpartition("/")[2]) if before else None
    target = judgements.rollback
    if target is not None and is_rollback(judgements, version):
        facts = require_judged_release(registry, target, release)
        require_unchanged(release.source, target.files, noted_files.require(release.source))
        back = RolledBack(**by, release=release.name, previous=previous, **asdict(facts))
        return _switch(registry, release, back, activation.ROLLBACK, approver, "", {})

    def judge_member(member: Member) -> Verdict:
        noted_files.require(find_version(registry, member.reference))
        return judge.judge_member(member, overriding=bool(override))

    refusals = activation.judge_release(registry, release, approver=approver, judge=judge_member, override=override)
    if judge.prover is not None:
        judge.prover.prove_release(release)
    outcome = activation.activation_record(release, refusals)
    facts = replace(facts_of(registry, release), files=noted_files.require(release.source))
    event = Activated(**by, release=release.name, previous=previous, **asdict(facts))
    return _switch(registry, release, event, activation.ACTIVATE, approver, override if refusals else "", outcome)


def _announced_target(registry: Registry, act: Act[RolledBack]) -> Release:
    """Return the release that the active one replaced, by the ledger, and record that it is about to be activated."""
    judgements = judgements_of(registry.settings)
    if judgements.active is None:
        active_release = find_release(registry, ACTIVE)
        raise UnjudgedReleaseError(
            f"{active_release.name} has MLflow's alias, and the audit ledger knows no release as judged and activated",
            hint=f"sirena release activate {active_release.name}",
        )
    target = judgements.rollback
    if target is None:
        raise UsageError(
            f"no release was active before {judgements.active.release}",
            hint="activate one with `sirena release activate NAME`",
        )
    release = find_release(registry, target.release)
    facts = require_judged_release(registry, target, release)
    require_unchanged(release.source, target.files, NotedFiles.of_registry(registry).require(release.source))
    act.announce(release=release.name, **asdict(facts))
    return release


def _switch(
    registry: Registry,
    release: Release,
    event: Activated | RolledBack,
    action: str,
    approver: str,
    override: str,
    outcome: dict[str, Any],
) -> Ruling:
    decisions: list[RecordedDecision] = []
    overridden = None
    if override:
        refused_members = tuple(outcome["refused"])
        overridden = Overridden(
            **origin_of(event),
            **override_facts(release.name, Stage.PRODUCTION, override, refused_members, release.digest),
        )
    return Ruling(
        event,
        overridden,
        lambda: decisions.append(activation.announce(registry, release, action, approver, override, outcome)),
        lambda: activation.confirm(registry, decisions[-1]),
    )
