"""The acts that must be on record, as commands and the demonstration perform them.

Each function is one act of the registry between its intention and its outcome in the audit ledger. No ledger, no act.
"""

from collections.abc import Sequence

from sirena.certification.gate import Verdict
from sirena.cli.recording import actor, recorded
from sirena.cli.rulings import verdict_facts
from sirena.ledger.catalogue import (
    Activated,
    Certified,
    Overridden,
    Promoted,
    Registered,
    ReleaseCreated,
    RolledBack,
    Trained,
)
from sirena.ledger.event import Event
from sirena.ledger.event import Outcome as Ended
from sirena.registry import activation, releases, stages
from sirena.registry.activation import Activation
from sirena.registry.certificates import certificate_digest
from sirena.registry.connection import Registry
from sirena.registry.judging import RegisteredJudge
from sirena.registry.releases import Member, Release
from sirena.registry.stages import Promotion
from sirena.registry.training_session import Outcome, Plan, Progress, run_session
from sirena.registry.versions import ModelVersion, Stage


def train(registry: Registry, plan: Plan, progress: Progress) -> list[Outcome]:
    """Run a training session; every version it registers and its certificate get an entry."""
    settings = registry.settings
    with recorded(
        settings,
        Trained,
        labels=plan.evidence.label_source.value,
        edition=plan.editions.named(plan.evidence.reference),
        seed=plan.seed,
    ) as act:
        outcomes = run_session(registry, plan, progress)
        for outcome in outcomes:
            act.further += _registered(registry, outcome, act.event)
        act.learn(registered=sum(outcome.version is not None for outcome in outcomes))
    return outcomes


def promote(
    judge: RegisteredJudge, version: ModelVersion, stage: Stage, override: str = ""
) -> tuple[Promotion, Verdict | None]:
    """Judge a version and give it a stage, unless the gate refuses; return what was done and the gate's verdict."""
    settings = judge.registry.settings
    with recorded(settings, Promoted, model=version.name, version=version.version, stage=stage.value) as act:
        act.learn(evidence=certificate_digest(version))
        verdict = judge.judge(version, stage) if stage.alias else None
        if verdict is not None:
            act.learn(**verdict_facts(verdict))
            if override:
                verdict = verdict.override(judge.approver, override)
        done = stages.promote(judge.registry, version, stage, approver=judge.approver, verdict=verdict)
        act.learn(previous=done.previous)
        if verdict is not None and verdict.overridden:
            act.further.append(
                _overridden(act.event, str(version), stage, override, act.event.criteria, act.event.evidence)
            )
        if not done.changed:
            act.nothing_to_do()
    return done, verdict


def create_release(registry: Registry, versions: Sequence[ModelVersion], *, author: str, note: str = "") -> Release:
    """Make a release of versions."""
    with recorded(registry.settings, ReleaseCreated, members=tuple(map(str, versions))) as act:
        release = releases.create_release(registry, versions, author=author, note=note)
        act.learn(release=release.name, digest=release.digest)
    return release


def activate(registry: Registry, release: Release, judge: RegisteredJudge, override: str = "") -> Activation:
    """Make a release the one that answers, unless the gate refuses members and nobody overrides it."""
    refused: list[str] = []

    def judged(member: Member) -> Verdict:
        verdict = judge.judge_member(member)
        if not verdict.passed:
            refused.append(member.reference)
        return verdict

    with recorded(registry.settings, Activated, release=release.name, digest=release.digest) as act:
        done = activation.activate(registry, release, approver=judge.approver, judge=judged, override=override)
        act.learn(previous=done.previous)
        if refused and override.strip():
            act.further.append(
                _overridden(act.event, release.name, Stage.PRODUCTION, override, tuple(refused), release.digest)
            )
        if not done.changed:
            act.nothing_to_do()
    return done


def roll_back(registry: Registry) -> Activation:
    """Make the release active again that the active one replaced."""
    with recorded(registry.settings, RolledBack) as act:
        done = activation.roll_back(registry, approver=registry.settings.effective_user)
        act.learn(release=done.release.name, digest=done.release.digest, previous=done.previous)
    return done


def _registered(registry: Registry, outcome: Outcome, session: Event) -> list[Event]:
    version, certificate = outcome.version, outcome.certificate
    if version is None or certificate is None:
        return []
    common = {**actor(registry.settings), "act": session.act}
    ended = Ended.UNCHANGED if version.reused else Ended.DONE
    return [
        Registered(
            **common,
            outcome=ended,
            model=version.name,
            version=version.version,
            label_source=outcome.label_source,
            digest=version.digest,
        ),
        Certified(
            **common,
            outcome=ended,
            model=version.name,
            version=version.version,
            edition=certificate.edition,
            edition_digest=certificate.edition_digest,
            asked=certificate.asked,
            disagreeing=certificate.disagreeing,
        ),
    ]


def _overridden(act: Event, subject: str, stage: Stage, reason: str, criteria: tuple[str, ...], evidence: str) -> Event:
    return Overridden(
        who=act.who,
        origin=act.origin,
        request_id=act.request_id,
        act=act.act,
        subject=subject,
        stage=stage.value,
        reason=reason,
        criteria=criteria,
        evidence=evidence,
    )
