"""The gate: its file, its verdict, its overrides."""

import json
from pathlib import Path
from typing import Any

import pytest

from sirena.certification.agreement import Agreement
from sirena.certification.criteria import CRITERIA
from sirena.certification.evidence import GateStage, LearntSource
from sirena.certification.gate import CriterionOutcome, evaluate, load_gate
from sirena.certification.gate_file import SHIPPED
from sirena.certification.remedies import remedy
from sirena.domain.errors import GateError, UsageError
from tests.unit.certification.certification_tables import compile_by_hand, evidence

OFF_BY_ONE = compile_by_hand({"eco": (3, 4), "kpn": (2, 4), "pae": (4, 6)})
SAFER = compile_by_hand({"eco": (1, 4), "kpn": (2, 4), "pae": (4, 6)})

SMALL = """
schema = "sirena-gate/1"
[[criterion]]
name = "MonotoneInMic"
reason = "order"
"""


def write(folder: Path, text: str) -> Path:
    """Write a gate file."""
    path = folder / "gate.toml"
    path.write_text(text, encoding="utf-8")
    return path


def outcomes(**changes: Any) -> dict[str, CriterionOutcome]:
    """Return the shipped gate's outcome by criterion."""
    return {finding.criterion: finding.outcome for finding in evaluate(evidence(**changes), load_gate()).findings}


def test_shipped_gate_uses_every_criterion_and_states_its_reason() -> None:
    """Nothing is offered that the shipped gate leaves out, and nothing demanded without a reason."""
    gate = load_gate()
    assert {type(rule.criterion).__name__ for rule in gate.rules} == set(CRITERIA)
    assert all(len(rule.criterion.reason) > 20 for rule in gate.rules)


def test_a_model_equal_to_the_edition_passes_as_reference_whatever_it_learnt_from() -> None:
    """The whole grid says more than any sample, so no isolates are demanded of it."""
    verdict = evaluate(evidence(held_out=None, training_isolates=0, training_cells=0), load_gate())
    assert verdict.meets_all_criteria
    assert verdict.judged_as is LearntSource.REFERENCE
    verdict.require()


@pytest.mark.parametrize("labels", [LearntSource.REFERENCE, LearntSource.UNKNOWN])
def test_one_differing_cell_keeps_a_reference_or_strange_model_from_production(labels: LearntSource) -> None:
    """A laboratory's allowance is not theirs."""
    found = outcomes(candidate=OFF_BY_ONE, labels=labels)
    assert found["GridAgreement"] is CriterionOutcome.FAILED
    assert "VeryMajorErrorRate" not in found


def test_a_safe_laboratory_model_passes_for_production() -> None:
    """Differing on the safe side by a dilution, with enough isolates, it may answer."""
    found = outcomes(candidate=SAFER)
    assert set(found.values()) == {CriterionOutcome.PASSED}
    assert {"NoUnsafeAnswer", "VeryMajorErrorRate", "MajorErrorRate", "CategoricalAgreement"} <= set(found)


def test_a_laboratory_model_that_says_s_for_r_is_refused_for_production_and_allowed_for_staging() -> None:
    """Staging demands less than production; the unsafe cells are named."""
    unsafe = compile_by_hand({"eco": (4, 5), "kpn": (2, 4), "pae": (4, 6)})
    verdict = evaluate(evidence(unsafe), load_gate())
    assert [finding.criterion for finding in verdict.refusals] == ["NoUnsafeAnswer"]
    with pytest.raises(GateError, match=r"eco 12 … 16: answered S, expected R") as caught:
        verdict.require()
    assert caught.value.exit_code == 3
    assert "modelo_AMK_NM/3 may not go to production" in caught.value.text
    assert evaluate(evidence(unsafe, stage=GateStage.STAGING), load_gate()).meets_all_criteria


def test_staging_demands_nothing_that_production_does_not() -> None:
    """Whoever reaches production would have reached staging: the same kinds of criterion, none stricter."""
    gate = load_gate()
    for labels in LearntSource:
        staging = {type(criterion).__name__: criterion for criterion in gate.criteria(GateStage.STAGING, labels)}
        production = {type(criterion).__name__: criterion for criterion in gate.criteria(GateStage.PRODUCTION, labels)}
        assert set(staging) < set(production)
        for name, criterion in staging.items():
            for bound in ("minimum", "minimum_share", "minimum_results", "minimum_compared", "minimum_isolates"):
                weaker, stronger = getattr(criterion, bound, None), getattr(production[name], bound, None)
                assert weaker is None or stronger is None or weaker <= stronger


def test_all_criteria_are_looked_at_after_one_has_failed() -> None:
    """One reading tells everything that is wrong."""
    held_out = Agreement(results=50, answered=50, agreed=50, resistant=5, susceptible=45)
    found = outcomes(candidate=OFF_BY_ONE, held_out=held_out, edition_digest="other", approver="ana")
    assert found["CertificateIsCurrent"] is CriterionOutcome.FAILED
    assert found["ApproverIsNotAuthor"] is CriterionOutcome.FAILED
    assert found["VeryMajorErrorRate"] is CriterionOutcome.INSUFFICIENT
    assert found["MonotoneInMic"] is CriterionOutcome.PASSED


def test_too_little_evidence_refuses() -> None:
    """Insufficient is not passed."""
    few = Agreement(results=50, answered=50, agreed=50, resistant=5, susceptible=45)
    verdict = evaluate(evidence(SAFER, held_out=few), load_gate())
    assert not verdict.meets_all_criteria
    with pytest.raises(GateError, match="VeryMajorErrorRate insufficient: got 0 of 5"):
        verdict.require()


def test_embedded_waives_the_second_person_and_records_it() -> None:
    """One person's machine has no second person; the waiver stands in the verdict."""
    verdict = evaluate(evidence(approver="ana", embedded=True), load_gate())
    assert verdict.meets_all_criteria
    (waived,) = [finding for finding in verdict.to_json()["findings"] if finding["outcome"] == "waived"]
    assert waived["criterion"] == "ApproverIsNotAuthor"
    assert "author ana, approver ana" in waived["got"]
    assert not evaluate(evidence(approver="ana"), load_gate()).meets_all_criteria


def test_override_is_named_on_record_and_keeps_the_failures() -> None:
    """The promotion is allowed, and the verdict still says what failed, who decided and why."""
    verdict = evaluate(evidence(OFF_BY_ONE, labels=LearntSource.REFERENCE), load_gate()).override(
        "eva", "agreed by committee"
    )
    verdict.require()
    record = json.loads(json.dumps(verdict.to_json()))
    assert (record["passed"], record["allowed"]) == (False, True)
    assert record["overridden"]["by"] == "eva"
    assert record["overridden"]["reason"] == "agreed by committee"
    assert any(finding["outcome"] == "failed" for finding in record["findings"])


def test_a_passing_verdict_needs_no_override() -> None:
    """Overriding what passed leaves no false record."""
    assert evaluate(evidence(), load_gate()).override("eva", "just in case").overridden is None


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("eva", "  ")])
def test_override_without_name_or_reason_is_refused(by: str, reason: str) -> None:
    """Nobody overrides anonymously or without a reason."""
    with pytest.raises(UsageError):
        evaluate(evidence(OFF_BY_ONE), load_gate()).override(by, reason)


def test_the_author_may_not_override_for_the_own_model_except_embedded() -> None:
    """Otherwise the second person could be overridden by the first."""
    with pytest.raises(GateError, match="author may not override"):
        evaluate(evidence(OFF_BY_ONE), load_gate()).override("ANA", "trust me")
    embedded = evaluate(evidence(OFF_BY_ONE, embedded=True, edition_digest="other"), load_gate())
    assert embedded.override("ana", "own machine").allowed


def test_archiving_demands_nothing() -> None:
    """A bad model may always be put away."""
    verdict = evaluate(
        evidence(OFF_BY_ONE, stage=GateStage.ARCHIVED, edition_digest="other", approver="ana"), load_gate()
    )
    assert verdict.meets_all_criteria
    assert verdict.findings == ()


def test_a_hospital_may_point_to_its_own_gate(tmp_path: Path) -> None:
    """Its file replaces the shipped one and leaves its digest in the verdict."""
    gate = load_gate(write(tmp_path, SMALL))
    verdict = evaluate(evidence(OFF_BY_ONE, edition_digest="other"), gate)
    assert [finding.criterion for finding in verdict.findings] == ["MonotoneInMic"]
    assert verdict.meets_all_criteria
    assert verdict.to_json()["gate_digest"] == gate.digest != load_gate().digest
    assert "MonotoneInMic passed: got none" in verdict.explain()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("schema = 1", "schema"),
        ('schema = "sirena-gate/1"', r"no \[\[criterion\]\]"),
        (SMALL.replace("MonotoneInMic", "MonotonInMic"), "key name"),
        (SMALL + "slope = 3", "unknown key slope"),
        (SMALL.replace('reason = "order"', ""), "key reason: missing"),
        (SMALL.replace('"order"', '" "'), "key reason: missing"),
        (SMALL.replace('"order"', "5"), "key reason: wrong type int"),
        (SMALL + 'stages = ["prod"]', "key stages"),
        (SMALL + "stages = []", "key stages"),
        (SMALL + 'stages = "production"', "key stages"),
        (SMALL + 'labels = ["file"]', "key labels"),
        (SMALL + 'stages = ["production"]', "no criterion for stage staging"),
        (SMALL + 'labels = ["reference"]', "labels laboratory"),
        (SMALL + "[extra]", "unknown key extra"),
        (SMALL.replace("MonotoneInMic", "GridAgreement"), "maximum_disagreements or minimum_share must be given"),
        (SMALL.replace("MonotoneInMic", "GridAgreement") + "minimum_share = 99", "minimum_share must lie"),
        (SMALL.replace("MonotoneInMic", "GridAgreement") + "minimum_share = true", "wrong type bool"),
        (SMALL.replace("MonotoneInMic", "GridAgreement") + 'minimum_share = "1"', "wrong type str"),
        (
            SMALL.replace("MonotoneInMic", "NoUnsafeAnswer") + "maximum_cells = 0.5",
            "key maximum_cells: wrong type float",
        ),
        (SMALL.replace("MonotoneInMic", "VeryMajorErrorRate") + "maximum = 0.1", "required parameter is missing"),
        ("schema = ", "not a TOML file"),
    ],
)
def test_errors_of_a_gate_file_name_file_and_key(tmp_path: Path, text: str, key: str) -> None:
    """A misspelt demand is an error, never a demand nobody makes."""
    with pytest.raises(UsageError, match=key) as caught:
        load_gate(write(tmp_path, text))
    assert str(tmp_path / "gate.toml") in caught.value.text
    assert caught.value.exit_code == 2


def test_an_integer_may_stand_for_a_fraction(tmp_path: Path) -> None:
    """``minimum_share = 1`` means 100 %."""
    load_gate(write(tmp_path, SMALL.replace("MonotoneInMic", "GridAgreement") + "minimum_share = 1"))


def test_a_missing_gate_file_is_an_error_and_never_the_shipped_gate(tmp_path: Path) -> None:
    """A hospital that names its own gate does not get another in silence."""
    with pytest.raises(UsageError, match="cannot be read"):
        load_gate(tmp_path / "nowhere.toml")
    assert SHIPPED.is_file()


def test_the_remedy_of_a_refusal_names_what_helps() -> None:
    """The command that shows the cells, and the edition beside the laboratory's labels; never to do the same again."""
    unsafe = compile_by_hand({"eco": (4, 5), "kpn": (2, 4), "pae": (4, 6)})
    with pytest.raises(GateError) as caught:
        evaluate(evidence(unsafe), load_gate()).require()
    assert "--labels both" in caught.value.hint
    assert "sirena certify MODEL/VERSION" in caught.value.hint
    with pytest.raises(GateError) as caught:
        evaluate(evidence(author="ana", approver="ana"), load_gate()).require()
    assert caught.value.hint.startswith("ask a second person")
    assert "--labels" not in caught.value.hint


def test_every_criterion_has_a_remedy() -> None:
    """Whatever refuses, somebody is told what to do about it."""
    alone = remedy([], LearntSource.REFERENCE)
    assert all(remedy([name], LearntSource.REFERENCE) != alone for name in CRITERIA)
