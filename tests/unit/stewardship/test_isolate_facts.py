"""What is known of each row."""

import pytest

from sirena.domain.organisms import Rank
from sirena.stewardship.condition import State, parse_trigger
from tests.unit.stewardship.facts import answered


def test_resistance_by_nature_is_no_finding() -> None:
    """Klebsiella is resistant to ampicillin and has acquired nothing."""
    facts = answered([{"ORGANISM": "kpn", "AMP_NM": ">32"}, {"ORGANISM": "eco", "AMP_NM": ">32"}])
    assert facts.tests[0].category.to_list() == ["R", "R"]
    assert facts.holds(parse_trigger("AMP=R")).tolist() == [False, True]


@pytest.mark.parametrize(("text", "state"), [("+", "+"), ("Positivo", "+"), ("neg", "-"), ("?", None), ("", None)])
def test_a_field_counts_when_it_is_positive_or_negative(text: str, state: str | None) -> None:
    """Anything else says nothing, and nothing is guessed."""
    facts = answered([{"ORGANISM": "sau", "MRSA": text}])
    assert facts.field_shows("MRSA", State.POSITIVE).tolist() == [state == "+"]
    assert facts.field_shows("MRSA", State.NEGATIVE).tolist() == [state == "-"]


def test_a_mechanism_behind_the_name_counts_and_the_field_before_it() -> None:
    """Laboratories write SARM behind the species; the column of the test knows better."""
    facts = answered([{"ORGANISM": "S. aureus (SARM)"}, {"ORGANISM": "S. aureus (SARM)", "MRSA": "-"}])
    assert facts.field_shows("MRSA", State.POSITIVE).tolist() == [True, False]
    assert facts.members(Rank.SPECIES, "Staphylococcus aureus").tolist() == [True, True]


def test_a_drug_was_tested_where_its_cell_can_be_read() -> None:
    """An empty cell, a word and a zone: only the zone is a test."""
    facts = answered(
        [
            {"ORGANISM": "sau", "PEN_NM": "0.1", "CLI_ND2": "21"},
            {"ORGANISM": "sau", "PEN_NM": "mixed", "CLI_ND2": "mixed"},
            {"ORGANISM": "sau"},
        ]
    )
    assert [test.tested.tolist() for test in facts.tests] == [[True, False, False], [True, False, False]]
