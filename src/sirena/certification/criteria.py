"""The criteria of promotion: small classes, each with one requirement and its reason."""

from typing import Final, Protocol

from sirena.certification.evidence import CriterionFailed, InsufficientEvidence, PromotionEvidence
from sirena.certification.grid_criteria import GridAgreement, MonotoneInMic, NoUnsafeAnswer
from sirena.certification.isolate_criteria import (
    CategoricalAgreement,
    EnoughEvidence,
    MajorErrorRate,
    VeryMajorErrorRate,
)
from sirena.certification.procedure_criteria import ApproverIsNotAuthor, CertificateIsCurrent

__all__ = [
    "CRITERIA",
    "ApproverIsNotAuthor",
    "CategoricalAgreement",
    "CertificateIsCurrent",
    "Criterion",
    "CriterionFailed",
    "EnoughEvidence",
    "GridAgreement",
    "InsufficientEvidence",
    "MajorErrorRate",
    "MonotoneInMic",
    "NoUnsafeAnswer",
    "VeryMajorErrorRate",
]


class Criterion(Protocol):
    """One requirement on the evidence for a promotion."""

    @property
    def reason(self) -> str:
        """Why the criterion exists."""

    @property
    def expectation(self) -> str:
        """What the criterion requires, in words that follow "expected"."""

    def measurement(self, evidence: PromotionEvidence) -> str:
        """Return what the evidence shows, in words that follow "got"."""

    def verify(self, evidence: PromotionEvidence) -> None:
        """Check that the evidence meets the requirement.

        Raises:
            CriterionFailed: the evidence does not meet the requirement.
            InsufficientEvidence: there is too little evidence to decide.
        """


CRITERIA: Final[dict[str, type[Criterion]]] = {
    kind.__name__: kind
    for kind in (
        ApproverIsNotAuthor,
        CategoricalAgreement,
        CertificateIsCurrent,
        EnoughEvidence,
        GridAgreement,
        MajorErrorRate,
        MonotoneInMic,
        NoUnsafeAnswer,
        VeryMajorErrorRate,
    )
}
"""Criteria by the name that a gate file uses."""
