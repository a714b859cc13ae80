"""Fields of ledger events on the gate's verdicts and on overriding them."""

from typing import Any

from sirena.certification.gate import CriterionOutcome, Verdict
from sirena.registry.versions import Stage


def verdict_facts(verdict: Verdict) -> dict[str, Any]:
    """Return the event fields of a verdict: the gate, and which criteria refused or were waived."""
    return {
        "gate": verdict.gate_digest,
        "criteria": tuple(finding.criterion for finding in verdict.refusals),
        "waived": tuple(
            criterion_finding.criterion
            for criterion_finding in verdict.findings
            if criterion_finding.outcome is CriterionOutcome.WAIVED
        ),
    }


def override_facts(subject: str, stage: Stage, reason: str, criteria: tuple[str, ...], evidence: str) -> dict[str, Any]:
    """Return the event fields of an override.

    Args:
        subject: name of the model version or release.
        stage: the stage that the subject is given.
        reason: reason given by the person who overrides.
        criteria: criteria that refused; for a release, the members that were refused.
        evidence: digest of what was judged.
    """
    return {"subject": subject, "stage": stage.value, "reason": reason, "criteria": criteria, "evidence": evidence}
