"""Each criterion passes what it should and refuses what it should, saying what was got and expected."""

from typing import Any

import numpy as np
import pytest

from sirena.certification.agreement import Agreement
from sirena.certification.criteria import (
    CRITERIA,
    ApproverIsNotAuthor,
    CategoricalAgreement,
    CertificateIsCurrent,
    Criterion,
    CriterionFailed,
    EnoughEvidence,
    GridAgreement,
    InsufficientEvidence,
    MajorErrorRate,
    MonotoneInMic,
    NoUnsafeAnswer,
    VeryMajorErrorRate,
)
from sirena.certification.evidence import PromotionEvidence
from sirena.domain.mic import Mic, encode_mics
from sirena.domain.truth_table import TruthTable
from tests.unit.certification.certification_tables import CENSORED, R, S, certified, compile_by_hand, evidence


def table_with(organism: str, mic: str, answer: int) -> TruthTable:
    """Return the hand-made edition with one cell changed."""
    table = compile_by_hand()
    cells = table.cells.copy()
    cells[table.row_of[organism], encode_mics([mic])[0]] = answer
    return TruthTable(table.column, table.organisms, cells)


OFF_BY_ONE = compile_by_hand({"eco": (3, 4), "kpn": (2, 4), "pae": (4, 6)})
UNSAFE = table_with("eco", ">=64", S)
REVERSED = table_with("eco", "256", S)
BEYOND = table_with("eco", "4096", CENSORED)
NOTHING = compile_by_hand({"hin": None})
FEW = Agreement(results=40, answered=40, agreed=40, resistant=10, susceptible=30)
BAD = Agreement(results=1000, answered=1000, agreed=800, resistant=300, susceptible=700, very_major=30, major=170)

PASSING: list[tuple[Criterion, PromotionEvidence]] = [
    (GridAgreement(maximum_disagreements=0), evidence()),
    (GridAgreement(minimum_share=0.95), evidence(OFF_BY_ONE)),
    (GridAgreement(maximum_disagreements=6, minimum_share=0.95), evidence(OFF_BY_ONE)),
    (MonotoneInMic(), evidence(OFF_BY_ONE)),
    (NoUnsafeAnswer(), evidence(OFF_BY_ONE)),
    (NoUnsafeAnswer(maximum_cells=4), evidence(UNSAFE)),
    (VeryMajorErrorRate(maximum=0.075, minimum_resistant=48), evidence()),
    (MajorErrorRate(maximum=0.05, minimum_susceptible=72), evidence()),
    (CategoricalAgreement(minimum=0.9, minimum_results=100), evidence()),
    (EnoughEvidence(minimum_compared=41, minimum_isolates=5000, minimum_cells=400), evidence()),
    (CertificateIsCurrent(), evidence()),
    (CertificateIsCurrent(), evidence(answers_digest="")),
    (ApproverIsNotAuthor(), evidence()),
]

FAILING: list[tuple[Criterion, PromotionEvidence, str]] = [
    (GridAgreement(maximum_disagreements=0), evidence(OFF_BY_ONE), "eco 6 … 8: answered S, expected I"),
    (GridAgreement(maximum_disagreements=5), evidence(OFF_BY_ONE), "6 cells that differ"),
    (GridAgreement(maximum_disagreements=0), evidence(BEYOND), "eco 4096"),
    (GridAgreement(minimum_share=1.0), evidence(OFF_BY_ONE), "at least 100.0%"),
    (MonotoneInMic(), evidence(REVERSED), "eco: 16 is R but 256 is S"),
    (NoUnsafeAnswer(), evidence(UNSAFE), "eco >=48 … >=64: answered S, expected R"),
    (NoUnsafeAnswer(), evidence(table_with("pmi", "0.5", S)), "2 cells"),
    (NoUnsafeAnswer(), evidence(table_with("eco", "4096", S)), "eco 4096"),
    (VeryMajorErrorRate(maximum=0.075, minimum_resistant=48), evidence(held_out=BAD), "30 of 300"),
    (MajorErrorRate(maximum=0.05, minimum_susceptible=72), evidence(held_out=BAD), "170 of 700"),
    (CategoricalAgreement(minimum=0.9, minimum_results=100), evidence(held_out=BAD), "800 of 1000"),
    (CertificateIsCurrent(), evidence(edition_digest="other"), "in force is digest other"),
    (CertificateIsCurrent(), evidence(version="4"), "modelo_AMK_NM/3 for modelo_AMK_NM/4"),
    (CertificateIsCurrent(), evidence(model="modelo_CAZ_NM"), "modelo_CAZ_NM"),
    (CertificateIsCurrent(), evidence(answers_digest="other"), "changed since"),
    (ApproverIsNotAuthor(), evidence(approver=" Ana"), "author ana, approver  Ana"),
]

INSUFFICIENT: list[tuple[Criterion, PromotionEvidence]] = [
    (GridAgreement(maximum_disagreements=0), evidence(NOTHING)),
    (GridAgreement(minimum_share=0.1), evidence(NOTHING)),
    (VeryMajorErrorRate(maximum=0.075, minimum_resistant=48), evidence(held_out=FEW)),
    (VeryMajorErrorRate(maximum=0.075, minimum_resistant=48), evidence(held_out=None)),
    (MajorErrorRate(maximum=0.05, minimum_susceptible=72), evidence(held_out=FEW)),
    (CategoricalAgreement(minimum=0.9, minimum_results=100), evidence(held_out=FEW)),
    (EnoughEvidence(minimum_compared=41), evidence(NOTHING)),
    (EnoughEvidence(minimum_isolates=5001), evidence()),
    (EnoughEvidence(minimum_cells=401), evidence()),
    (ApproverIsNotAuthor(), evidence(author="")),
    (ApproverIsNotAuthor(), evidence(approver=" ")),
]


def _name(value: Any) -> str:
    return type(value).__name__ if type(value).__name__ in CRITERIA else ""


@pytest.mark.parametrize(("criterion", "given"), PASSING, ids=_name)
def test_criterion_passes(criterion: Criterion, given: PromotionEvidence) -> None:
    """It is silent."""
    criterion.verify(given)


@pytest.mark.parametrize(("criterion", "given", "named"), FAILING, ids=_name)
def test_criterion_fails(criterion: Criterion, given: PromotionEvidence, named: str) -> None:
    """It says what was got, by name, and what was expected."""
    with pytest.raises(CriterionFailed) as caught:
        criterion.verify(given)
    assert not isinstance(caught.value, InsufficientEvidence)
    assert caught.value.text == f"got {caught.value.measurement}; expected {criterion.expectation}"
    assert named in caught.value.text


@pytest.mark.parametrize(("criterion", "given"), INSUFFICIENT, ids=_name)
def test_criterion_tells_too_little_evidence(criterion: Criterion, given: PromotionEvidence) -> None:
    """Too little evidence is neither a pass nor an ordinary failure."""
    with pytest.raises(InsufficientEvidence):
        criterion.verify(given)


def test_every_criterion_is_tried_both_ways_and_has_a_reason() -> None:
    """No criterion is without a passing and a refusing test, or without its reason."""
    passing = {type(case[0]).__name__ for case in PASSING}
    refusing = {type(case[0]).__name__ for case in FAILING} | {type(case[0]).__name__ for case in INSUFFICIENT}
    assert passing == refusing == set(CRITERIA)
    assert all(criterion.reason for criterion, _ in PASSING)


def test_few_failures_among_few_results_do_not_pass_by_luck() -> None:
    """No error among 48 resistant results passes, one among 48 does not: the bound is on the upper limit."""
    criterion = VeryMajorErrorRate(maximum=0.075, minimum_resistant=48)
    criterion.verify(evidence(held_out=Agreement(results=48, answered=48, agreed=48, resistant=48)))
    with pytest.raises(CriterionFailed):
        criterion.verify(evidence(held_out=Agreement(results=48, answered=48, agreed=47, resistant=48, very_major=1)))


@pytest.mark.parametrize("share", [0.0, 1.1, -1, float("nan")])
def test_senseless_parameters_are_refused(share: float) -> None:
    """A bound that every model or none could meet is an error where it is stated."""
    with pytest.raises(ValueError, match="must"):
        GridAgreement(minimum_share=share)
    with pytest.raises(ValueError, match="must"):
        VeryMajorErrorRate(maximum=share, minimum_resistant=48)


def test_long_findings_are_shortened_and_say_so() -> None:
    """A message names the first few cells and tells how many more the certificate names."""
    candidate = compile_by_hand({f"org{number}": (9, 10) for number in range(30)})
    reference = compile_by_hand({f"org{number}": (2, 4) for number in range(30)})
    certificate = certified(candidate, reference)
    text = NoUnsafeAnswer().measurement(evidence(certificate=certificate))
    assert len(text) < 600
    assert f"and {len(certificate.unsafe_disagreements) - 5} more" in text


def test_codes_asked_and_beyond_cover_every_unsafe_cell() -> None:
    """Wherever in the 84 codes one R is turned into S, the criterion refuses."""
    table = compile_by_hand()
    for code in np.flatnonzero(table.cells[table.row_of["eco"]] == R).tolist():
        with pytest.raises(CriterionFailed):
            NoUnsafeAnswer().verify(evidence(table_with("eco", str(Mic.from_code(code)), S)))
