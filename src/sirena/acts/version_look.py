"""One model version as a person who decides about it looks at it: certificate, evidence, gate, what is new."""

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
    """What the gate says of a version and a stage."""

    stage: Stage
    verdict: Verdict | None = None
    refusal: SirenaError | None = None
    """Why it could not even be judged; None when it was."""


@dataclass(frozen=True)
class Compared:
    """What a version answers otherwise than another of its model."""

    former: VersionGlance
    changes: Sequence[RangeChange] = ()
    """The gravest first."""
    refusal: SirenaError | None = None
    """Why they cannot be compared; None when they were."""

    @property
    def answers(self) -> int:
        """Answers that are other ones."""
        return sum(change.answers for change in self.changes)


@dataclass(frozen=True)
class VersionLook:
    """A version with all that is known of it."""

    glance: VersionGlance
    judged: StageJudgement
    compared: Compared | None
    """None when it is the model's only version."""
    decisions: Sequence[RecordedDecision]
    """Who gave it which stage, newest first."""
    siblings: Sequence[ModelVersion]
    """Versions of the model, newest first, this one included."""


def ask_gate(judge: Callable[[], RegisteredJudge], version: ModelVersion, stage: Stage) -> StageJudgement:
    """Ask the gate, which may not be readable, about a version without deciding anything."""
    try:
        return StageJudgement(stage, judge().judge(version, stage))
    except SirenaError as refusal:
        return StageJudgement(stage, refusal=refusal)


def decisions_of(version: ModelVersion) -> list[RecordedDecision]:
    """Return who gave a version which stage, newest first."""
    return promotions(version)[::-1]


def former_of(version: ModelVersion, siblings: Sequence[ModelVersion]) -> ModelVersion | None:
    """Return the version that one is compared with: the one in production, else the one registered before it.

    Args:
        version: the version.
        siblings: versions of its model, newest first.
    """
    others = [one for one in siblings if one.version != version.version]
    answering = [one for one in others if one.stage is Stage.PRODUCTION]
    before = [one for one in others if one.version < version.version]
    return next(iter([*answering, *before]), None)


def compare_versions(registry: Registry, version: ModelVersion, former: VersionGlance) -> Compared:
    """Return what a version answers otherwise than a former one."""
    try:
        old, new = (Panel({one.column: load_table(registry, one)}, {}, str(one)) for one in (former.version, version))
    except SirenaError as refusal:
        return Compared(former, refusal=refusal)
    return Compared(former, range_changes(old, new))


def read_certificate(registry: Registry, version: ModelVersion) -> Certificate | None:
    """Return the certificate of a version that counts, whole; None without one.

    Raises:
        SirenaError: it cannot be read, or is not the one that was logged.
    """
    if not certificate_digest(version):
        return None
    certificate = certificate_file.from_json(json.loads(read_file(registry, version, certificate_path(version))))
    if certificate.subject.version:
        return certificate
    # logged inside the model, before MLflow numbered the version
    return replace(certificate, subject=replace(certificate.subject, version=str(version.version)))
