"""What is known of each row."""

from datetime import date
from pathlib import Path

import pytest

from sirena.domain.organisms import Rank
from sirena.panel.frame import Isolates
from sirena.stewardship.condition import FactState, parse_trigger
from sirena.stewardship.isolate_facts import IsolateFacts
from sirena.stewardship.isolates import read_isolates
from sirena.whonet.mapping import load_mapping
from sirena.whonet.reading import read_file
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
    assert facts.field_shows("MRSA", FactState.POSITIVE).tolist() == [state == "+"]
    assert facts.field_shows("MRSA", FactState.NEGATIVE).tolist() == [state == "-"]


def test_a_mechanism_behind_the_name_counts_and_the_field_before_it() -> None:
    """Laboratories write SARM behind the species; the column of the test knows better."""
    facts = answered([{"ORGANISM": "S. aureus (SARM)"}, {"ORGANISM": "S. aureus (SARM)", "MRSA": "-"}])
    assert facts.field_shows("MRSA", FactState.POSITIVE).tolist() == [True, False]
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
    assert [test.is_tested.tolist() for test in facts.tests] == [[True, False, False], [True, False, False]]


def test_a_field_of_the_mapping_counts(tmp_path: Path) -> None:
    """A laboratory's own header shows a mechanism once its mapping says which."""
    (tmp_path / "a.csv").write_text("ORGANISM;Cribado;OXA_NM\nsau;+;\nsau;-;\n", encoding="utf-8")
    (tmp_path / "m.toml").write_text('[columns.Cribado]\nfield = "MRSA"\n', encoding="utf-8")
    file = read_file(tmp_path / "a.csv", mapping=load_mapping(tmp_path / "m.toml"))
    facts = IsolateFacts.of(Isolates.of_file(file), lambda _: None)
    assert facts.field_shows("MRSA", FactState.POSITIVE).tolist() == [True, False]


def test_an_origin_that_is_a_specimen_is_counted_as_one(tmp_path: Path) -> None:
    """MicroScan calls the specimen's column so."""
    (tmp_path / "a.csv").write_text("Origen;ORGANISM;AMK_NM\nOrina;eco;4\nSangre;eco;4\n", encoding="utf-8")
    isolates = read_isolates(read_file(tmp_path / "a.csv"), date(2026, 1, 1))
    assert isolates.frame.sort("row")["specimen"].to_list() == ["orina", "sangre"]
