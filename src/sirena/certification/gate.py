"""The gate, which decides on promotions: every applicable criterion, its finding, and the verdict.

Rules, each with a test of like name:

- every applicable criterion is checked, even after one has failed, so that all failures are seen at once;
- too little evidence is a failure, and says so;
- a model that agrees with the guideline edition in every cell is judged as if it had learnt the edition, since a sample
  of isolates shows less than the whole grid;
- in embedded use author and approver are one person: `ApproverIsNotAuthor` is waived, and the verdict records the
  waiver;
- an override has a name and a reason, keeps the failures on record, and may not be the author's (except in embedded
  use);
- archiving a version has no criteria.
"""

import enum
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sirena.certification.criteria import Criterion
from sirena.certification.evidence import (
    CriterionFailed,
    GateStage,
    InsufficientEvidence,
    LearntSource,
    PromotionEvidence,
)
from sirena.certification.gate_file import Gate, load_gate
from sirena.certification.procedure_criteria import same_person
from sirena.certification.remedies import remedy
from sirena.domain.errors import GateError, UsageError

__all__ = ["CriterionFinding", "CriterionOutcome", "Gate", "GateOverride", "Verdict", "evaluate", "load_gate"]


class CriterionOutcome(enum.StrEnum):
    """Whether a version or release meets one criterion of the gate."""

    PASSED = "passed"
    FAILED = "failed"
    INSUFFICIENT = "insufficient"
    """There is too little evidence to decide; the gate refuses as for a failure."""
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class CriterionFinding:
    """One criterion, with its outcome and what was found and expected."""

    criterion: str
    reason: str
    """Why the criterion exists."""
    outcome: CriterionOutcome
    measurement: str
    expectation: str

    @property
    def refuses(self) -> bool:
        """True if the outcome prevents the promotion."""
        return self.outcome in (CriterionOutcome.FAILED, CriterionOutcome.INSUFFICIENT)

    def __str__(self) -> str:
        return f"{self.criterion} {self.outcome.value}: got {self.measurement}; expected {self.expectation}"


@dataclass(frozen=True, slots=True)
class GateOverride:
    """A person's decision against the gate."""

    by: str
    reason: str
    at: str
    """Time of the decision in UTC, ISO 8601."""


@dataclass(frozen=True)
class Verdict:
    """The gate's decision on one promotion, as it is recorded."""

    model: str
    version: str
    stage: GateStage
    judged_as: LearntSource
    """The source of labels whose criteria were applied."""
    findings: tuple[CriterionFinding, ...]
    gate: str
    """Path of the gate file."""
    gate_digest: str
    author: str
    approver: str
    embedded: bool
    decided_at: str
    """Time of the decision in UTC, ISO 8601."""
    overridden: GateOverride | None = None
    makers: tuple[str, ...] = ()
    """Other accounts involved in making the model; they may not override the gate either."""

    @property
    def refusals(self) -> tuple[CriterionFinding, ...]:
        """The findings that prevent the promotion."""
        return tuple(finding for finding in self.findings if finding.refuses)

    @property
    def meets_all_criteria(self) -> bool:
        """True if no criterion refuses; an override does not change this."""
        return not self.refusals

    @property
    def allowed(self) -> bool:
        """True if the promotion may happen: it passed, or was overridden."""
        return self.meets_all_criteria or self.overridden is not None

    def explain(self) -> str:
        """Return what was found and expected, one criterion per line: the refusing ones, or all if none refuses."""
        return "\n".join(f"  - {finding}" for finding in self.refusals or self.findings)

    def require(self) -> None:
        """Check that the promotion is allowed.

        Raises:
            GateError: the promotion is not allowed; the text names every refusing criterion with what was found and
                expected.
        """
        if not self.allowed:
            raise GateError(
                f"{self.model}/{self.version} may not go to {self.stage.value}:\n{self.explain()}",
                hint=remedy([finding.criterion for finding in self.refusals], self.judged_as),
            )

    def override(self, by: str, reason: str) -> "Verdict":
        """Return a copy of the verdict, overridden by a named person for a stated reason; the failures stay in it.

        Raises:
            UsageError: name or reason is empty.
            GateError: the person is an author or maker of the model, and this is not embedded use.
        """
        if not by.strip() or not reason.strip():
            raise UsageError("an override needs a name and a reason", hint="say who decides and why")
        if not self.embedded and any(same_person(by, maker) for maker in (self.author, *self.makers)):
            raise GateError(
                f"{self.model}/{self.version}: the author may not override the gate for the own model",
                hint="ask a second person to override",
            )
        if self.meets_all_criteria:
            return self
        return replace(self, overridden=GateOverride(by.strip(), reason.strip(), _now()))

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as plain JSON values."""
        return {
            "schema": "sirena-verdict/1",
            "model": self.model,
            "version": self.version,
            "stage": self.stage.value,
            "judged_as": self.judged_as.value,
            "allowed": self.allowed,
            "passed": self.meets_all_criteria,
            "findings": [
                {
                    "criterion": finding.criterion,
                    "outcome": finding.outcome.value,
                    "got": finding.measurement,
                    "expected": finding.expectation,
                    "reason": finding.reason,
                }
                for finding in self.findings
            ],
            "gate": self.gate,
            "gate_digest": self.gate_digest,
            "author": self.author,
            "made_by": list(self.makers),
            "approver": self.approver,
            "embedded": self.embedded,
            "decided_at": self.decided_at,
            "overridden": None
            if self.overridden is None
            else {"by": self.overridden.by, "reason": self.overridden.reason, "at": self.overridden.at},
        }


def evaluate(evidence: PromotionEvidence, gate: Gate) -> Verdict:
    """Return the gate's verdict: the evidence checked by every criterion that applies.

    >>> from sirena.certification.certificate import Subject, certify
    >>> from sirena.guidelines.editions import load_edition
    >>> from sirena.guidelines.interpreter import compile_tables
    >>> table = compile_tables(load_edition("CLSI 2026"), ["SPT"])["SPT"]
    >>> proof = certify(table, table, edition="CLSI 2026", edition_digest="", subject=Subject("modelo_SPT_NM", "1"))
    >>> people = {"author": "trainer", "approver": "trainer", "embedded": False}
    >>> evidence = PromotionEvidence(proof, "modelo_SPT_NM", "1", "", GateStage.PRODUCTION, **people)
    >>> [finding.criterion for finding in evaluate(evidence, load_gate()).refusals]
    ['ApproverIsNotAuthor']
    """
    judged_as = LearntSource.REFERENCE if evidence.certificate.total_agreement else evidence.labels
    criteria = () if evidence.stage is GateStage.ARCHIVED else gate.criteria(evidence.stage, judged_as)
    return Verdict(
        model=evidence.model,
        version=evidence.version,
        stage=evidence.stage,
        judged_as=judged_as,
        findings=tuple(_find(criterion, evidence) for criterion in criteria),
        gate=gate.source,
        gate_digest=gate.digest,
        author=evidence.author,
        approver=evidence.approver,
        embedded=evidence.embedded,
        decided_at=_now(),
        makers=evidence.makers,
    )


def _find(criterion: Criterion, evidence: PromotionEvidence) -> CriterionFinding:
    measurement, expectation, outcome = criterion.measurement(evidence), criterion.expectation, CriterionOutcome.PASSED
    if evidence.embedded and getattr(criterion, "waived_when_embedded", False):
        outcome = CriterionOutcome.WAIVED
    else:
        try:
            criterion.verify(evidence)
        except InsufficientEvidence as refusal:
            measurement, expectation, outcome = refusal.measurement, refusal.expectation, CriterionOutcome.INSUFFICIENT
        except CriterionFailed as refusal:
            measurement, expectation, outcome = refusal.measurement, refusal.expectation, CriterionOutcome.FAILED
    return CriterionFinding(type(criterion).__name__, criterion.reason, outcome, measurement, expectation)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
