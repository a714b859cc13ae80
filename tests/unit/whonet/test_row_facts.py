"""Mechanisms written in organisms' names are facts of the rows."""

from pathlib import Path

import pytest

from sirena.domain.organisms import resolve
from sirena.domain.phenotypes import split_phenotypes
from sirena.whonet.reading import read_file
from sirena.whonet.row_facts import facts_to_add, row_facts

NAMES = ("E. coli BLEE (+)", "E. coli BLEE negativo", "SAMR", "S. aureus (SASM)", "Klebsiella pneumoniae KPC", "eco")


@pytest.mark.parametrize(
    ("text", "facts", "code"),
    [
        ("SAMR", {"MRSA": "+"}, "sau"),
        ("mssa", {"MRSA": "-"}, "sau"),
        ("E. coli BLEE (+)", {"ESBL": "+"}, "eco"),
        ("BLEE", {}, None),
    ],
)
def test_a_mechanism_alone_counts_where_it_names_the_species(
    text: str, facts: dict[str, str], code: str | None
) -> None:
    """SAMR is *S. aureus*; BLEE alone is no organism."""
    assert split_phenotypes(text)[1] == facts
    assert resolve(text) == code


def test_a_mechanism_of_the_name_is_a_fact_of_its_row(tmp_path: Path) -> None:
    """Each in WHONET's field, empty where the name says nothing."""
    path = tmp_path / "a.csv"
    path.write_text("SPEC_NUM,ORGANISM,AMK_NM\n" + "".join(f"{row},{name},2\n" for row, name in enumerate(NAMES)))
    file = read_file(path)
    facts = {fact: values.to_list() for fact, values in row_facts(file).items()}
    assert facts == {
        "ESBL": ["+", "-", None, None, None, None],
        "MRSA": [None, None, "+", "-", None, None],
        "CARBAPENEM": [None, None, None, None, "+", None],
    }
    assert {column.name for column in facts_to_add(file)} == set(facts)


def test_a_column_of_the_file_comes_first(tmp_path: Path) -> None:
    """The name fills what it leaves empty, and no second column is written."""
    path = tmp_path / "a.csv"
    path.write_text("ORGANISM,BLEE,AMK_NM\nE. coli BLEE (+),,2\nE. coli BLEE (+),-,2\neco,+,2\n")
    file = read_file(path)
    assert row_facts(file)["ESBL"].to_list() == ["+", "-", "+"]
    assert facts_to_add(file) == []
