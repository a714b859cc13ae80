"""Triggers of rules and alerts, as tables write them."""

import pytest

from sirena.stewardship.condition import parse_trigger
from tests.unit.stewardship.facts import answered


def test_a_condition_is_a_field_with_a_sign_or_antimicrobials_with_a_category() -> None:
    """Read and written back it is the same."""
    text = "MRSA=+ or OXA|FOX=R"
    assert " or ".join(" and ".join(map(str, part)) for part in parse_trigger(text)) == text


@pytest.mark.parametrize("text", ["MRSA", "MRSA=R", "XXX=R", "AMP=+", "AMP=I", "AMP=R and", "OXA|XXX=R"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    """A mistake in a table is an error and never a rule that holds for nothing."""
    with pytest.raises(ValueError, match=r"condition|names"):
        parse_trigger(text)


def test_and_binds_closer_than_or() -> None:
    """The alternative without the beta-lactamase holds by itself."""
    facts = answered([{"ORGANISM": "hin", "AMP_NM": "4"}, {"ORGANISM": "hin", "MRSA": "+"}])
    assert facts.holds(parse_trigger("BETA_LACT=- and AMP=R or MRSA=+")).tolist() == [False, True]


def test_intermediate_is_non_susceptible_by_clsi_and_not_by_eucast() -> None:
    """EUCAST's I is susceptible at increased exposure."""
    trigger = parse_trigger("CIP=NS")
    assert answered([{"ORGANISM": "eco", "CIP_NM": "0.5"}]).holds(trigger).tolist() == [True]
    facts = answered([{"ORGANISM": "eco", "CIP_EM": "0.5"}], "EUCAST 2025")
    assert facts.tests[0].category.to_list() == ["I"]
    assert facts.holds(trigger).tolist() == [False]
    assert facts.holds(parse_trigger("CIP=S")).tolist() == [True]


def test_an_empty_trigger_holds_always() -> None:
    """The organism alone is the condition."""
    assert answered([{"ORGANISM": "sal", "GEN_NM": "1"}]).holds(parse_trigger("")).tolist() == [True]
