"""Applying the gate to registered versions."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

from sirena.certification.evidence import GateStage as GateStage
from sirena.certification.gate import CriterionFinding, CriterionOutcome, Verdict, evaluate
from sirena.certification.gate_file import Gate
from sirena.domain.errors import GateError, UsageError
from sirena.guidelines.editions import Edition
from sirena.registry.certificates import certificate_digest
from sirena.registry.connection import Registry
from sirena.registry.evidence import EvidenceByContent, promotion_evidence
from sirena.registry.proof import Prover
from sirena.registry.releases import Member
from sirena.registry.versions import ModelVersion, Stage, find_version

_STAGES = {
    Stage.STAGING: GateStage.STAGING,
    Stage.PRODUCTION: GateStage.PRODUCTION,
    Stage.ARCHIVED: GateStage.ARCHIVED,
}

_UNPROVED = CriterionFinding(
    "ProvedByTheServer",
    "What the server has not found out itself is somebody's claim.",
    CriterionOutcome.INSUFFICIENT,
    "a model that can only be asked by running its code, which the server does not",
    "a truth table with the network it comes from",
)


@dataclass(frozen=True)
class RegisteredJudge:
    """Applies the gate to registered versions and releases' members."""

    registry: Registry
    gate: Gate
    approver: str
    edition: Callable[[str], Edition]
    """Returns the rules in force now for a certificate's edition."""
    prover: Prover | None = None
    """Proves versions without trusting uploaded facts; None if only the user could have changed them."""
    evidence_by_content: EvidenceByContent = field(default_factory=dict, compare=False, repr=False)
    """What this gate has found of files, so that a second stage does not have the same bytes asked again."""

    def reading(self, registry: Registry) -> Self:
        """Return this gate over the same registry, read as another says (`Registry.reading_once`)."""
        return replace(self, registry=registry)

    def judge(self, version: ModelVersion, stage: Stage, *, overriding: bool = False) -> Verdict:
        """Return the gate's verdict on a version, with a proof if the version would pass.

        Args:
            version: the version.
            stage: the stage it would get.
            overriding: True if a refusal will be overridden; then a proof is required too.

        Raises:
            GateError: the version has no certificate.
            ProofError: certificate or table differ from what the proof finds; this cannot be overridden.
            UsageError: the stage has no criteria.
        """
        if stage not in _STAGES:
            raise UsageError(f"there is no gate to {stage.value}")
        if not certificate_digest(version):
            raise GateError(
                f"{version} has no certificate, and nothing is promoted unproved",
                hint=f"make one with `sirena certify {version}`",
            )
        evidence = promotion_evidence(
            self.registry,
            version,
            _STAGES[stage],
            edition=self.edition,
            approver=self.approver,
            embedded=self.registry.settings.profile == "embedded",
            evidence_by_content=self.evidence_by_content,
        )
        verdict = evaluate(evidence, self.gate)
        if self.prover is None:
            return verdict
        if not version.is_ours:
            return replace(verdict, findings=(*verdict.findings, _UNPROVED))
        if verdict.meets_all_criteria or overriding:
            self.prover.prove_version(version)
        return verdict

    def judge_member(self, member: Member, *, overriding: bool = False) -> Verdict:
        """Return the gate's verdict for production on a member of a release, reading its version from the registry."""
        return self.judge(find_version(self.registry, member.reference), Stage.PRODUCTION, overriding=overriding)
