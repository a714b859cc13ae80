"""Titles of rows: each rule of `sirena.guidelines.eucast.titles` in a test of like name."""

import csv
from pathlib import Path

import pytest

import sirena.guidelines.eucast.titles as titles
from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.guidelines.eucast.findings import UndecidableError
from sirena.guidelines.eucast.titles import read_title
from sirena.guidelines.sites import Indication


def test_the_longest_name_of_an_antimicrobial_counts() -> None:
    """Ampicillin-sulbactam is not ampicillin, and an unknown partner is not overlooked."""
    assert read_title("Ampicillin-sulbactam iv").answers == (("SAM", (Indication.INTRAVENOUS,)),)
    with pytest.raises(UndecidableError):
        read_title("Ampicillin-newbactam")


def test_a_title_is_an_agent_a_route_an_indication_and_organisms() -> None:
    """In this order; brackets before the comma are indications."""
    title = read_title("Fosfomycin iv (infections originating from the urinary tract), E. coli")
    assert title.answers == (("FOS", (Indication.INTRAVENOUS, Indication.URINARY_ORIGIN)),)
    assert title.organisms == "E. coli"
    assert read_title("Mecillinam oral (pivmecillinam) (uncomplicated UTI only)").answers == (
        ("MEC", (Indication.ORAL, Indication.UNCOMPLICATED_UTI)),
    )


def test_organisms_may_stand_on_a_line_of_their_own() -> None:
    """Without a comma."""
    assert read_title("Oxacillin Streptococcus groups A, C and G").organisms == "Streptococcus groups A, C and G"


@pytest.mark.parametrize(
    ("phrase", "indications"),
    [
        ("all indications", ()),
        (
            "indications other than endocarditis and meningitis",
            (Indication.NON_MENINGITIS, Indication.NON_ENDOCARDITIS),
        ),
        ("endocarditis and meningitis", (Indication.MENINGITIS, Indication.ENDOCARDITIS)),
        ("systemic infections", (Indication.SYSTEMIC,)),
        ("screen only", (Indication.SCREEN,)),
        ("prophylaxis only", (Indication.PROPHYLAXIS,)),
    ],
)
def test_words_in_brackets_are_indications_of_ours(phrase: str, indications: tuple[Indication, ...]) -> None:
    """Each in the words of our tables."""
    assert read_title(f"Ceftriaxone ({phrase})").answers == (("CRO", indications),)


@pytest.mark.parametrize("title", ["Ceftriaxone (in space)", "Ceftriaxone perhaps", "Ceftriaxone8", "Unknownmycin", ""])
def test_what_is_not_understood_is_for_a_person(title: str) -> None:
    """A word more may limit the row."""
    with pytest.raises(UndecidableError):
        read_title(title)


def test_forms_with_codes_of_their_own() -> None:
    """Cefuroxime by mouth, and the tests for high-level resistance."""
    assert [code for code, _ in read_title("Cefuroxime oral (uncomplicated UTI only)").answers] == ["CXM", "CXA"]
    assert [code for code, _ in read_title("Cefuroxime iv").answers] == ["CXM"]
    title = read_title("Gentamicin (test for acquired aminoglycoside-modifying enzyme)")
    assert title.answers == (("GEN", ()), ("GEH", (Indication.SCREEN,)))


def test_every_code_of_the_names_is_an_antimicrobial_of_ours() -> None:
    """Or the name is known to have none, so that its rows are for a person."""
    with Path(titles.__file__).with_name("agents.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["code"] for row in rows if row["code"]} <= ANTIMICROBIALS.keys()
    without_code = [row["name"] for row in rows if not row["code"]]
    assert without_code == ["Pretomanid"]
    for name in without_code:
        with pytest.raises(UndecidableError, match="no code"):
            read_title(name)
