"""The criteria of promotion: small classes, each with one demand and the reason for it."""

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
    """One demand on the evidence for a promotion."""

    @property
    def reason(self) -> str:
        """Why it is demanded."""

    @property
    def expectation(self) -> str:
        """What is demanded, in words that fit after "expected"."""

    def measured(self, evidence: PromotionEvidence) -> str:
        """Return what the evidence says, in words that fit after "got"."""

    def verify(self, evidence: PromotionEvidence) -> None:
        """Pass silently.

        Raises:
            CriterionFailed: the demand is not met.
            InsufficientEvidence: the evidence is too small to tell.
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
"""By the name a gate file uses."""
