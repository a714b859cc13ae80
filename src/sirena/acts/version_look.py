"""A model version, for a person who decides on it: certificate, evidence, verdict of the gate, what is new."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sirena.acts.models_look import VersionGlance
from sirena.certification import certificate_file
from sirena.certification.certificate import Certificate
from sirena.certification.gate import Verdict
from sirena.domain.errors import SirenaError
from sirena.panel.compiled import Panel
from sirena.registry.certificates import certificate_digest, certificate_path
from sirena.registry.connection import Registry
from sirena.registry.history import RecordedDecision
from sirena.registry.judging import RegisteredJudge
from sirena.registry.release_ranges import RangeChange, range_changes
from sirena.registry.stages import promotions
from sirena.registry.versions import ModelVersion, Stage, load_table, read_file


@dataclass(frozen=True)
class StageJudgement:
    """The gate's verdict on giving a version a stage."""

    stage: Stage
    verdict: Verdict | None = None
    refusal: SirenaError | None = None
    """Error because of which the version could not be judged; None if it was judged."""


@dataclass(frozen=True)
class VersionComparison:
    """A version compared with another version of its model."""

    former: VersionGlance
    changes: Sequence[RangeChange] = ()
    """Answers that differ, the gravest first."""
    refusal: SirenaError | None = None
    """Error because of which the versions could not be compared; None if they were compared."""

    @property
    def answers(self) -> int:
        """Number of answers that differ between the two versions."""
        return sum(change.answers for change in self.changes)


@dataclass(frozen=True)
class VersionLook:
    """A model version in detail, compared with another."""

    glance: VersionGlance
    judgement: StageJudgement
    comparison: VersionComparison | None
    """Comparison with another version; None if it is the model's only version."""
    decisions: Sequence[RecordedDecision]
    """Who gave the version which stage, newest first."""
    siblings: Sequence[ModelVersion]
    """All versions of the model, newest first, including this one."""


def ask_gate(judge: Callable[[], RegisteredJudge], version: ModelVersion, stage: Stage) -> StageJudgement:
    """Return the gate's verdict on giving a version a stage, or why the gate cannot judge; nothing is decided."""
    try:
        return StageJudgement(stage, judge().judge(version, stage))
    except SirenaError as refusal:
        return StageJudgement(stage, refusal=refusal)


def decisions_of(version: ModelVersion) -> list[RecordedDecision]:
    """Return the decisions by which a version was given stages, newest first."""
    return promotions(version)[::-1]


def former_of(version: ModelVersion, siblings: Sequence[ModelVersion]) -> ModelVersion | None:
    """Return the version with which to compare a version: that in production, else the one registered before it.

    Args:
        version: the version.
        siblings: all versions of its model, newest first.
    """
    others = [candidate for candidate in siblings if candidate.version != version.version]
    in_production = [candidate for candidate in others if candidate.stage is Stage.PRODUCTION]
    before = [candidate for candidate in others if candidate.version < version.version]
    return next(iter([*in_production, *before]), None)


def compare_versions(registry: Registry, version: ModelVersion, former: VersionGlance) -> VersionComparison:
    """Return the answers of a version that differ from those of a former version."""
    try:
        old, new = (
            Panel({model_version.column: load_table(registry, model_version)}, {}, str(model_version))
            for model_version in (former.version, version)
        )
    except SirenaError as refusal:
        return VersionComparison(former, refusal=refusal)
    return VersionComparison(former, range_changes(old, new))


def read_certificate(registry: Registry, version: ModelVersion) -> Certificate | None:
    """Return the valid certificate of a model version; None if the version has no certificate.

    Raises:
        SirenaError: the certificate cannot be read, or was changed since it was logged.
    """
    if not certificate_digest(version):
        return None
    certificate = certificate_file.from_json(json.loads(read_file(registry, version, certificate_path(version))))
    if certificate.subject.version:
        return certificate
    # logged inside the model, before MLflow numbered the version
    return replace(certificate, subject=replace(certificate.subject, version=str(version.version)))
