"""Criteria on the procedure: a valid certificate, and approval by the right person."""

from dataclasses import dataclass, field
from typing import ClassVar

from sirena.certification.evidence import CriterionFailed, InsufficientEvidence, PromotionEvidence


@dataclass(frozen=True)
class CertificateIsCurrent:
    """Require that the certificate is for this model version and for the guideline edition in force.

    A certificate of another version, of other answers or of last year's breakpoints proves nothing about the version to
    be deployed.
    """

    reason: str = field(default="Only what will answer, against the rules in force, is proof.", kw_only=True)

    @property
    def expectation(self) -> str:
        """What the criterion requires, in words."""
        return "a certificate of this version's answers against the edition in force"

    def measurement(self, evidence: PromotionEvidence) -> str:
        """Return what the certificate shows, in words."""
        differences = self._differences(evidence)
        return "; ".join(differences) if differences else "such a certificate"

    def verify(self, evidence: PromotionEvidence) -> None:
        """Check the requirement, or raise `CriterionFailed`."""
        if self._differences(evidence):
            raise CriterionFailed(self.measurement(evidence), self.expectation)

    def _differences(self, evidence: PromotionEvidence) -> list[str]:
        certificate = evidence.certificate
        subject = certificate.subject
        differences = []
        if (subject.model, subject.version) != (evidence.model, evidence.version):
            differences.append(
                f"a certificate of {subject.model}/{subject.version} for {evidence.model}/{evidence.version}"
            )
        if certificate.edition_digest != evidence.edition_digest:
            differences.append(
                f"{certificate.edition} with digest {certificate.edition_digest[:12]}, "
                f"in force is digest {evidence.edition_digest[:12]}"
            )
        if evidence.answers_digest and certificate.answers_digest != evidence.answers_digest:
            differences.append("answers that have changed since they were certified")
        return differences


@dataclass(frozen=True)
class ApproverIsNotAuthor:
    """Require that a second person approves.

    The author of a model tends to see what it was meant to do. On one person's own machine there is no second person,
    so the gate waives this criterion and records the waiver.
    """

    reason: str = field(default="A second pair of eyes.", kw_only=True)

    waived_when_embedded: ClassVar[bool] = True

    @property
    def expectation(self) -> str:
        """What the criterion requires, in words."""
        return "an approver other than the author"

    def measurement(self, evidence: PromotionEvidence) -> str:
        """Return who the author, makers and approver are, in words."""
        makers = f", made by {', '.join(evidence.makers)}" if evidence.makers else ""
        return f"author {evidence.author or 'not recorded'}{makers}, approver {evidence.approver or 'not recorded'}"

    def verify(self, evidence: PromotionEvidence) -> None:
        """Check the requirement, or raise `CriterionFailed`, or `InsufficientEvidence` if one of them is unknown."""
        if not evidence.author.strip() or not evidence.approver.strip():
            raise InsufficientEvidence(self.measurement(evidence), self.expectation)
        if any(same_person(maker, evidence.approver) for maker in (evidence.author, *evidence.makers)):
            raise CriterionFailed(self.measurement(evidence), self.expectation)


def same_person(name: str, other_name: str) -> bool:
    """Tell whether two account names are the same, apart from case and surrounding spaces.

    >>> same_person("Ana", "ana"), same_person("ana", "eva")
    (True, False)
    """
    return name.strip().casefold() == other_name.strip().casefold()
