"""Criteria on isolates: requirements on results of isolates that the model was not trained on."""

from dataclasses import dataclass, field

from sirena.certification.agreement import Agreement
from sirena.certification.evidence import CriterionFailed, InsufficientEvidence, PromotionEvidence


@dataclass(frozen=True)
class VeryMajorErrorRate:
    """Require few resistant isolates to be called susceptible.

    A very major error may leave a patient untreated, so the upper confidence limit is bounded and not the point
    estimate: no error among ten isolates proves little.
    """

    maximum: float
    """Largest upper 95 % limit allowed, as a fraction of resistant results."""
    minimum_resistant: int
    """Fewest held-out resistant results for the rate to be meaningful."""
    reason: str = field(default="Few resistant isolates may be missed, and this must be shown.", kw_only=True)

    def __post_init__(self) -> None:
        _check(self.maximum, self.minimum_resistant)

    @property
    def expectation(self) -> str:
        """What the criterion requires, in words."""
        return (
            f"an upper 95 % limit of at most {self.maximum:.1%} of at least {self.minimum_resistant} resistant results"
        )

    def measurement(self, evidence: PromotionEvidence) -> str:
        """Return what the held-out results show, in words."""
        held_out = evidence.held_out
        return "no held-out results" if held_out is None else f"{held_out.very_major_error} very major errors"

    def verify(self, evidence: PromotionEvidence) -> None:
        """Check the requirement, or raise `CriterionFailed`, or `InsufficientEvidence` if there are too few results."""
        agreement = evidence.held_out or Agreement()
        if agreement.resistant < self.minimum_resistant:
            raise InsufficientEvidence(self.measurement(evidence), self.expectation)
        if agreement.very_major_error.upper > self.maximum:
            raise CriterionFailed(self.measurement(evidence), self.expectation)


@dataclass(frozen=True)
class MajorErrorRate:
    """Require few susceptible isolates to be called resistant.

    A major error withholds a useful drug and leads to the use of broader ones. The harm is slower, so the bound is
    wider.
    """

    maximum: float
    """Largest upper 95 % limit allowed, as a fraction of susceptible results."""
    minimum_susceptible: int
    """Fewest held-out susceptible results for the rate to be meaningful."""
    reason: str = field(default="A useful drug must not be withheld without need.", kw_only=True)

    def __post_init__(self) -> None:
        _check(self.maximum, self.minimum_susceptible)

    @property
    def expectation(self) -> str:
        """What the criterion requires, in words."""
        return (
            f"an upper 95 % limit of at most {self.maximum:.1%} "
            f"of at least {self.minimum_susceptible} susceptible results"
        )

    def measurement(self, evidence: PromotionEvidence) -> str:
        """Return what the held-out results show, in words."""
        held_out = evidence.held_out
        return "no held-out results" if held_out is None else f"{held_out.major_error} major errors"

    def verify(self, evidence: PromotionEvidence) -> None:
        """Check the requirement, or raise `CriterionFailed`, or `InsufficientEvidence` if there are too few results."""
        agreement = evidence.held_out or Agreement()
        if agreement.susceptible < self.minimum_susceptible:
            raise InsufficientEvidence(self.measurement(evidence), self.expectation)
        if agreement.major_error.upper > self.maximum:
            raise CriterionFailed(self.measurement(evidence), self.expectation)


@dataclass(frozen=True)
class CategoricalAgreement:
    """Require that most held-out results are answered as labelled.

    Very major and major errors do not include errors with I; this criterion limits all errors together.
    """

    minimum: float
    """Smallest lower 95 % limit allowed, as a fraction of answered results."""
    minimum_results: int
    """Fewest held-out answered results for the rate to be meaningful."""
    reason: str = field(default="The model must reproduce what its laboratories report.", kw_only=True)

    def __post_init__(self) -> None:
        _check(self.minimum, self.minimum_results)

    @property
    def expectation(self) -> str:
        """What the criterion requires, in words."""
        return f"a lower 95 % limit of at least {self.minimum:.1%} of at least {self.minimum_results} answered results"

    def measurement(self, evidence: PromotionEvidence) -> str:
        """Return what the held-out results show, in words."""
        held_out = evidence.held_out
        return "no held-out results" if held_out is None else f"{held_out.categorical} agreeing with the label"

    def verify(self, evidence: PromotionEvidence) -> None:
        """Check the requirement, or raise `CriterionFailed`, or `InsufficientEvidence` if there are too few results."""
        agreement = evidence.held_out or Agreement()
        if agreement.answered < self.minimum_results:
            raise InsufficientEvidence(self.measurement(evidence), self.expectation)
        if agreement.categorical.lower < self.minimum:
            raise CriterionFailed(self.measurement(evidence), self.expectation)


@dataclass(frozen=True)
class EnoughEvidence:
    """Require enough evidence for any judgement.

    A model also has no disagreements if nothing could be compared.
    """

    minimum_compared: int = 0
    """Fewest cells of the certificate to which the edition gives a category."""
    minimum_isolates: int = 0
    """Fewest isolates that the model was trained on."""
    minimum_cells: int = 0
    """Fewest distinct combinations of organism, MIC and label among these."""
    reason: str = field(default="Nothing found is only reassuring where something was looked for.", kw_only=True)

    def __post_init__(self) -> None:
        if min(self.minimum_compared, self.minimum_isolates, self.minimum_cells) < 0:
            raise ValueError("minima must not be negative")
        if not max(self.minimum_compared, self.minimum_isolates, self.minimum_cells):
            raise ValueError("minimum_compared, minimum_isolates or minimum_cells must be given")

    @property
    def expectation(self) -> str:
        """What the criterion requires, in words."""
        return (
            f"at least {self.minimum_compared} compared cells, {self.minimum_isolates} training isolates, "
            f"{self.minimum_cells} distinct training cells"
        )

    def measurement(self, evidence: PromotionEvidence) -> str:
        """Return how much evidence there is, in words."""
        return (
            f"{evidence.certificate.compared} compared cells, {evidence.training_isolates} training isolates, "
            f"{evidence.training_cells} distinct training cells"
        )

    def verify(self, evidence: PromotionEvidence) -> None:
        """Check the requirement, or raise `InsufficientEvidence`."""
        if (
            evidence.certificate.compared < self.minimum_compared
            or evidence.training_isolates < self.minimum_isolates
            or evidence.training_cells < self.minimum_cells
        ):
            raise InsufficientEvidence(self.measurement(evidence), self.expectation)


def _check(fraction: float, minimum: int) -> None:
    if not 0 < fraction <= 1:
        raise ValueError("the bound must be a fraction above 0 and at most 1")
    if minimum < 1:
        raise ValueError("the minimum number of results must be at least 1")
