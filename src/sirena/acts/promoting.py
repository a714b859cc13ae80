"""Promotion: giving a version a stage, by a command or by the entry for the sender of a request.

Both ask the same gate and record the same facts. The command gives the stage itself; the entry leaves that to MLflow's
own request and records the decision before and after it (`Ruling`), in the order of ADR 7.
"""

from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from sirena.access.events import ActOrigin
from sirena.access.ruling import Ruling
from sirena.acts.noted_files import NotedFiles
from sirena.acts.recording import origin_of, recorded
from sirena.acts.verdicts import override_facts, verdict_facts
from sirena.certification.gate import Verdict
from sirena.domain.errors import GateError, SirenaError, UsageError
from sirena.ledger.catalogue import Overridden, Promoted
from sirena.registry import stages
from sirena.registry.certificates import certificate_digest
from sirena.registry.connection import MODELS_AT_ONCE, Registry
from sirena.registry.history import RecordedDecision, now, record
from sirena.registry.judging import RegisteredJudge
from sirena.registry.releases import RELEASE_MODEL
from sirena.registry.stages import Promotion, decision, other_holder, promotions
from sirena.registry.versions import IntegrityError, ModelVersion, Stage, find_version


def promote(
    judge: RegisteredJudge, version: ModelVersion, stage: Stage, override: str = ""
) -> tuple[Promotion, Verdict | None]:
    """Judge a version and give it a stage, unless the gate refuses. Returns the promotion and the gate's verdict."""
    judge = judge.reading(judge.registry.reading_once())
    settings = judge.registry.settings
    with recorded(settings, Promoted, model=version.name, version=version.version, stage=stage.value) as act:
        act.learn(evidence=certificate_digest(version))
        if stage.alias and not judge.registry.signed_in_as:
            act.learn(files=NotedFiles.of_registry(judge.registry).to_note(version))
        verdict = judge.judge(version, stage) if stage.alias else None
        if verdict is not None:
            act.learn(**verdict_facts(verdict))
            if override:
                verdict = verdict.override(judge.approver, override)
        promotion = stages.promote(judge.registry, version, stage, approver=judge.approver, verdict=verdict)
        act.learn(previous=promotion.previous)
        if verdict is not None and verdict.overridden:
            facts = override_facts(str(version), stage, override, act.event.criteria, act.event.evidence)
            act.further.append(Overridden(**origin_of(act.event), **facts))
        if not promotion.changed:
            act.nothing_to_do()
    return promotion, verdict


def promote_each(
    judge: RegisteredJudge, versions: Sequence[ModelVersion], stage: Stage, override: str = ""
) -> Generator[tuple[ModelVersion, tuple[Promotion, Verdict | None] | SirenaError], None, None]:
    """Promote versions of different models, several at once, and yield what came of each in their order.

    A version that is refused or damaged keeps back itself alone: its error stands in place of what was done. Whoever
    may leave off in between closes the generator (`contextlib.closing`); then no further promotion is begun, and those
    under way are ended first.

    Args:
        judge: the gate.
        versions: at most one of each model, for of two the later replaces the earlier.
        stage: the stage they shall have.
        override: reason to promote although the gate refuses.

    Raises:
        SirenaError: MLflow or the ledger failed; no further promotion is begun, and those under way are ended and
            yielded first.
    """
    failure: SirenaError | None = None
    with ThreadPoolExecutor(MODELS_AT_ONCE, thread_name_prefix="promote") as pool:
        futures = [pool.submit(promote, judge, version, stage, override) for version in versions]
        try:
            for version, promotion in zip(versions, futures, strict=True):
                if promotion.cancelled():
                    continue
                try:
                    outcome = _outcome_or_refusal(promotion)
                except SirenaError as error:
                    failure = failure or error
                    pool.shutdown(cancel_futures=True)
                else:
                    yield version, outcome
        finally:
            pool.shutdown(cancel_futures=True)
    if failure is not None:
        raise failure


def _outcome_or_refusal(
    promotion: Future[tuple[Promotion, Verdict | None]],
) -> tuple[Promotion, Verdict | None] | SirenaError:
    try:
        return promotion.result()
    except (GateError, IntegrityError, UsageError) as refusal:
        return refusal


def judge_version(
    judge: RegisteredJudge, noted_files: NotedFiles, reference: str, stage: Stage, override: str, by: ActOrigin
) -> Ruling:
    """Judge a version for staging or production, and return the ruling.

    Args:
        judge: the gate.
        noted_files: files noted in the ledger.
        reference: name of the version.
        stage: the stage it is to get.
        override: reason for overriding the gate; empty for none.
        by: who decides.

    Raises:
        GateError: the gate refuses and is not overridden, the version is not proved, or its files were changed.
    """
    version = find_version(judge.registry, reference)
    files = noted_files.to_note(version)
    verdict = judge.judge(version, stage, overriding=bool(override))
    facts = verdict_facts(verdict)
    if override:
        verdict = verdict.override(judge.approver, override)
    verdict.require()
    entry = decision(version, stage, judge.approver, other_holder(judge.registry, version, stage), verdict)
    facts |= {"previous": entry.previous, "evidence": entry.evidence, "files": files}
    event = Promoted(**by, model=version.name, version=version.version, stage=stage.value, **facts)
    overridden = None
    if verdict.overridden:
        reasons = override_facts(str(version), stage, entry.override, event.criteria, event.evidence)
        overridden = Overridden(**by, **reasons)
    return Ruling(event, overridden, lambda: _announce(judge.registry, version, entry))


def leave(registry: Registry, model: str, version: str, stage: str, by: ActOrigin) -> Ruling | None:
    """Return the ruling that a version loses its stage.

    Args:
        registry: of the version.
        model: registered model.
        version: its number; empty for the version with the alias of ``stage``, which is deleted.
        stage: the stage it is given, or the one whose alias is deleted.
        by: who decides.

    Returns:
        None when there is no such version, or when its last recorded decision says this already.
    """
    new_stage = Stage.NONE if not version else Stage.named(stage)
    try:
        model_version = find_version(
            registry, f"{model}/{version}" if version else f"{model}@{Stage.named(stage).alias}"
        )
    except UsageError:
        return None
    event = Promoted(**by, model=model, version=model_version.version, stage=new_stage.value)
    if model == RELEASE_MODEL:
        # what answered when stands with the activations; a release that is taken away is in the ledger only
        return Ruling(event)
    decisions = promotions(model_version)
    last = decisions[-1].stage if decisions else Stage.NONE.value
    if last == new_stage.value or (not version and last != Stage.named(stage).value):
        return None
    entry = decision(model_version, new_stage, by["who"])
    return Ruling(event, None, lambda: _announce(registry, model_version, entry))


def _announce(registry: Registry, version: ModelVersion, entry: RecordedDecision) -> None:
    """Write a decision into the version's tags, with the present time, which is after the intention in the ledger."""
    record(registry, version.name, replace(entry, at=now()), version=version.version)
