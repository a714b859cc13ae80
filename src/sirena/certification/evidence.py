"""What a promotion is decided on."""

import enum
from dataclasses import dataclass, field

from sirena.certification.agreement import Agreement
from sirena.certification.certificate import Certificate
from sirena.domain.errors import SirenaError


class GateStage(enum.StrEnum):
    """Where a model version stands. The value is the name on the command line and the alias in the registry."""

    STAGING = "staging"
    PRODUCTION = "production"
    ARCHIVED = "archived"


class LearntSource(enum.StrEnum):
    """Whose categories a model learnt."""

    REFERENCE = "reference"
    """A guideline edition's: total agreement with it is attainable, so it is demanded."""
    LABORATORY = "laboratory"
    """Laboratories', of the years they were reported in: agreement is judged on held-out isolates as well."""
    BOTH = "both"
    """The edition's where it speaks, the laboratories' for organisms it says nothing of: judged as both."""
    UNKNOWN = "unknown"
    """A stranger's model: judged as if it had learnt the reference, so it has to prove itself on the whole grid."""


@dataclass(frozen=True)
class PromotionEvidence:
    """Everything a criterion may look at."""

    certificate: Certificate
    model: str
    """Registered name of what is to be promoted."""
    version: str
    edition_digest: str
    """Digest of the guideline edition in force now, overlay included."""
    stage: GateStage
    """Target."""
    author: str
    """Who trained or registered the version."""
    approver: str
    """Who promotes it."""
    embedded: bool
    """True on one person's machine, where author and approver are the same."""
    makers: tuple[str, ...] = ()
    """Others who had a hand in it: who made its run, or the version it is a copy of."""
    labels: LearntSource = LearntSource.UNKNOWN
    held_out: Agreement | None = None
    """Agreement with labels of isolates the model was not trained on; None when none were held out."""
    held_out_by_organism: dict[str, Agreement] = field(default_factory=dict)
    training_isolates: int = 0
    """Isolates with a label that the model was trained on."""
    training_cells: int = 0
    """Distinct (organism, MIC, label) among them."""
    answers_digest: str = ""
    """Digest of the table to be deployed; empty when it cannot be computed (a stranger's model)."""


class CriterionFailed(SirenaError):  # noqa: N818 - the word of the design
    """A criterion looked at sufficient evidence and found it wanting."""

    code = "criterion_failed"

    def __init__(self, got: str, expected: str) -> None:
        super().__init__(f"got {got}; expected {expected}")
        self.got = got
        self.expected = expected


class InsufficientEvidence(CriterionFailed):
    """There is too little evidence for the criterion to mean anything."""

    code = "insufficient_evidence"
