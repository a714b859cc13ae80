"""The acts that must be on record, as commands and the demonstration perform them.

Each function is one act of the registry between its intention and its outcome in the audit ledger. No ledger, no act.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace

from sirena.certification.gate import Verdict
from sirena.cli.judged import judgements_of
from sirena.cli.noted_files import NotedFiles
from sirena.cli.recording import actor, recorded
from sirena.cli.rulings import verdict_facts
from sirena.domain.errors import UsageError
from sirena.ledger.acts import Act
from sirena.ledger.catalogue import (
    Activated,
    Administered,
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
from sirena.ledger.store import open_ledger
from sirena.registry import activation, releases, stages
from sirena.registry.activation import Activation
from sirena.registry.certificates import certificate_digest
from sirena.registry.connection import Registry, restore_experiment
from sirena.registry.judged_releases import UnjudgedReleaseError, facts_of, require_judged_release
from sirena.registry.judging import RegisteredJudge
from sirena.registry.model_files import files_of, require_unchanged
from sirena.registry.proof import require_tables_of_members
from sirena.registry.releases import ACTIVE, Member, Release, find_release
from sirena.registry.stages import Promotion
from sirena.registry.training_session import Outcome, Plan, Progress, run_session
from sirena.registry.versions import ModelVersion, Stage, find_version


def train(registry: Registry, plan: Plan, progress: Progress) -> list[Outcome]:
    """Run a training session; every version it registers and its certificate get an entry."""
    settings = registry.settings
    _mend_experiment(registry)
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
        if stage.alias and not judge.registry.signed_in_as:
            act.learn(files=_noted(judge.registry).to_note(version))
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
    _mend_experiment(registry)
    with recorded(registry.settings, ReleaseCreated, members=tuple(map(str, versions))) as act:
        release = releases.create_release(registry, versions, author=author, note=note)
        files = () if registry.signed_in_as else _noted(registry).to_note(release.source)
        act.learn(release=release.name, digest=release.digest, files=files)
    return release


def activate(registry: Registry, release: Release, judge: RegisteredJudge, override: str = "") -> Activation:
    """Make a release the one that answers, unless the gate refuses members and nobody overrides it."""
    refused: list[str] = []

    def judged(member: Member) -> Verdict:
        if not registry.signed_in_as:
            _noted(registry).require(find_version(registry, member.reference))
        verdict = judge.judge_member(member)
        if not verdict.passed:
            refused.append(member.reference)
        return verdict

    if not registry.signed_in_as:
        judgements_of(registry.settings)  # on a ledger that is not what was written nothing is activated
    with recorded(registry.settings, Activated, release=release.name, digest=release.digest) as act:

        def agreed() -> None:
            facts = facts_of(registry, release)
            if not registry.signed_in_as:  # else the entry proves it, and its ledger is the one that counts
                require_tables_of_members(registry, release)
                facts = replace(facts, files=_noted(registry).require(release.source))
            act.announce(**asdict(facts))

        done = activation.activate(
            registry, release, approver=judge.approver, judge=judged, override=override, agreed=agreed
        )
        act.learn(previous=done.previous)
        if refused and override.strip():
            act.further.append(
                _overridden(act.event, release.name, Stage.PRODUCTION, override, tuple(refused), release.digest)
            )
        if not done.changed:
            act.nothing_to_do()
    return done


def roll_back(registry: Registry) -> Activation:
    """Make the release active again that the active one replaced, if it still is what was judged then."""
    approver = registry.settings.effective_user
    with recorded(registry.settings, RolledBack) as act:
        target = None if registry.signed_in_as else _judged_before(registry, act)
        done = activation.roll_back(registry, approver=approver, to=target)
        act.learn(release=done.release.name, digest=done.release.digest, previous=done.previous)
    return done


def _mend_experiment(registry: Registry) -> None:
    """Restore an experiment that somebody deleted, on record: new runs could not be made in it."""
    if registry.experiment_is_deleted:
        name = registry.settings.experiment_name
        with recorded(registry.settings, Administered, action="restore", resource=f"experiment {name}"):
            restore_experiment(registry)


def _judged_before(registry: Registry, act: Act[RolledBack]) -> Release:
    """Return the release that the active one replaced by the ledger, and announce the switch to it."""
    judgements = judgements_of(registry.settings)
    if judgements.active is None:
        unjudged = find_release(registry, ACTIVE)
        raise UnjudgedReleaseError(
            f"{unjudged.name} has MLflow's alias, and the audit ledger knows no release as judged and activated",
            hint=f"sirena release activate {unjudged.name}",
        )
    target = judgements.rollback
    if target is None:
        raise UsageError(
            f"no release was active before {judgements.active.release}",
            hint="activate one with `sirena release activate NAME`",
        )
    release = find_release(registry, target.release)
    facts = require_judged_release(registry, target, release)
    require_unchanged(release.source, target.files, _noted(registry).require(release.source))
    act.announce(release=release.name, **asdict(facts))
    return release


def _noted(registry: Registry) -> NotedFiles:
    return NotedFiles(registry, open_ledger(registry.settings))


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
            files=()
            if registry.signed_in_as or version.reused
            else files_of(registry, find_version(registry, str(version))),
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
