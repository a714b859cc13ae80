"""The gate applied to registered versions."""

from collections.abc import Callable
from dataclasses import dataclass

from sirena.certification.evidence import Stage as GateStage
from sirena.certification.gate import Verdict, evaluate
from sirena.certification.gate_file import Gate
from sirena.domain.errors import GateError, UsageError
from sirena.registry.certificates import certificate_digest
from sirena.registry.connection import Registry
from sirena.registry.evidence import promotion_evidence
from sirena.registry.releases import Member
from sirena.registry.versions import ModelVersion, Stage, find_version

_STAGES = {
    Stage.STAGING: GateStage.STAGING,
    Stage.PRODUCTION: GateStage.PRODUCTION,
    Stage.ARCHIVED: GateStage.ARCHIVED,
}


@dataclass(frozen=True)
class RegisteredJudge:
    """Says of registered versions what the gate says of their evidence."""

    registry: Registry
    gate: Gate
    approver: str
    edition_digest: Callable[[str], str]
    """Digest of the rules now in force for a certificate's edition."""

    def judge(self, version: ModelVersion, stage: Stage) -> Verdict:
        """Hold a version's evidence against the criteria of a stage.

        Raises:
            GateError: the version holds no certificate.
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
            edition_digest=self.edition_digest(version.edition),
            approver=self.approver,
            embedded=self.registry.settings.profile == "embedded",
        )
        return evaluate(evidence, self.gate)

    def judge_member(self, member: Member) -> Verdict:
        """Hold a release's member against the criteria of production, as it stands now."""
        return self.judge(find_version(self.registry, member.reference), Stage.PRODUCTION)
