"""The evidence on which a promotion is decided."""

import enum
from dataclasses import dataclass, field

from sirena.certification.agreement import Agreement
from sirena.certification.certificate import Certificate
from sirena.domain.errors import SirenaError


class GateStage(enum.StrEnum):
    """The stage of a model version. The value is its name on the command line and its alias in the registry."""

    STAGING = "staging"
    PRODUCTION = "production"
    ARCHIVED = "archived"


class LearntSource(enum.StrEnum):
    """The source of the categories that a model learnt."""

    REFERENCE = "reference"
    """A guideline edition: total agreement with it is attainable, so that is required."""
    LABORATORY = "laboratory"
    """Laboratories' own labels of several years: agreement with held-out isolates is judged as well."""
    BOTH = "both"
    """The edition for the organisms it covers, laboratories for the others: judged as both."""
    UNKNOWN = "unknown"
    """Not known, as for a foreign model: judged as if it had learnt the reference, on the whole grid."""


@dataclass(frozen=True)
class PromotionEvidence:
    """The evidence for a promotion: everything that a criterion may consider."""

    certificate: Certificate
    model: str
    """Registered name of the model to promote."""
    version: str
    edition_digest: str
    """Digest of the guideline edition in force now, overlay included."""
    stage: GateStage
    """The stage to which the version would be promoted."""
    author: str
    """Account that trained or registered the version."""
    approver: str
    """Account that promotes the version."""
    embedded: bool
    """True on one person's own machine, where author and approver are the same."""
    makers: tuple[str, ...] = ()
    """Other accounts involved: who made the version's run, or the version that it is a copy of."""
    labels: LearntSource = LearntSource.UNKNOWN
    held_out: Agreement | None = None
    """Agreement with labels of isolates that the model was not trained on; None if none were held out."""
    held_out_by_organism: dict[str, Agreement] = field(default_factory=dict)
    training_isolates: int = 0
    """Number of labelled isolates that the model was trained on."""
    training_cells: int = 0
    """Number of distinct combinations of organism, MIC and label among them."""
    answers_digest: str = ""
    """Digest of the table to be deployed; empty if it cannot be computed (a foreign model)."""


class CriterionFailed(SirenaError):  # noqa: N818 - the word of the design
    """The evidence was sufficient and does not meet a criterion."""

    code = "criterion_failed"

    def __init__(self, measurement: str, expectation: str) -> None:
        super().__init__(f"got {measurement}; expected {expectation}")
        self.measurement = measurement
        self.expectation = expectation


class InsufficientEvidence(CriterionFailed):
    """There is too little evidence for the criterion to be meaningful."""

    code = "insufficient_evidence"
