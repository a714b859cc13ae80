"""Criteria on the certificate: requirements on every question, not on a sample."""

from dataclasses import dataclass, field

from sirena.certification.certificate import Certificate
from sirena.certification.comparison import Disagreement
from sirena.certification.evidence import CriterionFailed, InsufficientEvidence, PromotionEvidence
from sirena.certification.monotonicity import Reversal
from sirena.domain.truth_table import split_key

_NAMED: int = 5


@dataclass(frozen=True)
class GridAgreement:
    """Require agreement with the guideline edition over the whole grid.

    A model that learnt the edition can reproduce it in every cell, so its number of differences is limited, and
    refusals and reasons count like categories. A model that learnt laboratories' labels of several years cannot, so the
    share of agreement is limited, among the cells to which the edition gives a category.
    """

    maximum_disagreements: int | None = None
    """Most cells that may differ in any way, on the MIC scale and outside it; None for no limit."""
    minimum_share: float | None = None
    """Smallest agreeing fraction of the cells to which the edition gives a category; None for no limit."""
    beyond_edition: bool = False
    """If True, answers for organisms that the edition does not cover are not counted as differences."""
    reason: str = field(default="The model must answer what the guideline edition answers.", kw_only=True)

    def __post_init__(self) -> None:
        if self.maximum_disagreements is None and self.minimum_share is None:
            raise ValueError("maximum_disagreements or minimum_share must be given")
        if self.maximum_disagreements is not None and self.maximum_disagreements < 0:
            raise ValueError("maximum_disagreements must not be negative")
        if self.minimum_share is not None and not 0 < self.minimum_share <= 1:
            raise ValueError("minimum_share must lie above 0 and at most at 1")

    @property
    def expectation(self) -> str:
        """What the criterion requires, in words."""
        parts = []
        if self.maximum_disagreements is not None:
            condition = " where the edition speaks" if self.beyond_edition else ""
            parts.append(f"at most {self.maximum_disagreements} cells that differ{condition}")
        if self.minimum_share is not None:
            parts.append(f"at least {self.minimum_share:.1%} of compared cells agreeing")
        return " and ".join(parts)

    def measurement(self, evidence: PromotionEvidence) -> str:
        """Return what the certificate shows, as a sentence for a person."""
        certificate = evidence.certificate
        entries = self._differing_entries(certificate)
        differing_cells = sum(entry.cells for entry in entries)
        agreeing = f"{certificate.agreements} of {certificate.compared} compared cells agreeing"
        if not certificate.compared:
            return f"{agreeing}, {differing_cells} cells that differ" + _listing(entries)
        return f"{agreeing} ({certificate.agreement_share:.2%}), {differing_cells} cells that differ" + _listing(
            entries
        )

    def verify(self, evidence: PromotionEvidence) -> None:
        """Check the requirement, or raise `CriterionFailed`, or `InsufficientEvidence` if nothing could be compared."""
        certificate = evidence.certificate
        if not certificate.compared:
            raise InsufficientEvidence(
                f"no cell to which {certificate.edition} states a category for {certificate.column}", self.expectation
            )
        differing_cells = sum(entry.cells for entry in self._differing_entries(certificate))
        too_many = self.maximum_disagreements is not None and differing_cells > self.maximum_disagreements
        if too_many or (self.minimum_share is not None and certificate.agreement_share < self.minimum_share):
            raise CriterionFailed(self.measurement(evidence), self.expectation)

    def _differing_entries(self, certificate: Certificate) -> tuple[Disagreement, ...]:
        silent = set(certificate.organisms_without_reference) if self.beyond_edition else set()
        entries = (*certificate.disagreements, *certificate.beyond)
        return tuple(entry for entry in entries if split_key(entry.key)[0] not in silent)


@dataclass(frozen=True)
class MonotoneInMic:
    """Require that no higher MIC is called more susceptible than a lower one.

    No biology and no guideline has such a step, so a single one shows an error of the model.
    """

    reason: str = field(default="More drug needed never means more susceptible.", kw_only=True)

    @property
    def expectation(self) -> str:
        """What the criterion requires, in words."""
        return "no organism and comparator along which a higher MIC is called more susceptible"

    def measurement(self, evidence: PromotionEvidence) -> str:
        """Return what the certificate shows, as a sentence for a person."""
        reversals = evidence.certificate.reversals
        return f"{len(reversals)} organisms and comparators" + _listing(reversals) if reversals else "none"

    def verify(self, evidence: PromotionEvidence) -> None:
        """Check the requirement, or raise `CriterionFailed`."""
        if not evidence.certificate.monotone:
            raise CriterionFailed(self.measurement(evidence), self.expectation)


@dataclass(frozen=True)
class NoUnsafeAnswer:
    """Require that the model never says S where the guideline edition says R, expected resistance included.

    This error leaves a patient untreated, and the grid shows each of its cells beforehand. If a laboratory's labels
    follow an older, higher breakpoint, its cells are listed; a person may accept them by an override, and is then
    responsible for them.
    """

    maximum_cells: int = 0
    """Most cells answered S where the edition says R or NS."""
    reason: str = field(default="An isolate called S that is R may leave a patient untreated.", kw_only=True)

    def __post_init__(self) -> None:
        if self.maximum_cells < 0:
            raise ValueError("maximum_cells must not be negative")

    @property
    def expectation(self) -> str:
        """What the criterion requires, in words."""
        return f"at most {self.maximum_cells} cells answered S where the edition says R"

    def measurement(self, evidence: PromotionEvidence) -> str:
        """Return what the certificate shows, as a sentence for a person."""
        disagreements = evidence.certificate.unsafe_disagreements
        return f"{sum(entry.cells for entry in disagreements)} cells" + _listing(disagreements)

    def verify(self, evidence: PromotionEvidence) -> None:
        """Check the requirement, or raise `CriterionFailed`."""
        if sum(entry.cells for entry in evidence.certificate.unsafe_disagreements) > self.maximum_cells:
            raise CriterionFailed(self.measurement(evidence), self.expectation)


def _listing(entries: tuple[Disagreement, ...] | tuple[Reversal, ...]) -> str:
    """Return the first few entries, for a message; the certificate names all."""
    if not entries:
        return ""
    remainder = f"; and {len(entries) - _NAMED} more, all named in the certificate" if len(entries) > _NAMED else ""
    return f" [{'; '.join(str(entry) for entry in entries[:_NAMED])}{remainder}]"
