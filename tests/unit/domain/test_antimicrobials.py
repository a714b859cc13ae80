"""Finding an antimicrobial by what somebody wrote."""

import unicodedata

import pytest

from sirena.domain.antimicrobials import ANTIMICROBIALS, antimicrobial_named, find_antimicrobial

NAMES = [(drug.code, name) for drug in ANTIMICROBIALS.values() for name in (drug.english, drug.spanish)]


def test_every_name_is_found_however_it_is_spelled() -> None:
    """In both languages, without case and accents, whatever stands between the words; no name means two drugs."""
    for code, name in NAMES:
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        for spelling in (name, name.upper(), plain, f" {plain.replace('/', ' - ')} ", plain.replace(" ", "")):
            for find in (find_antimicrobial, antimicrobial_named):
                drug = find(spelling)
                assert drug is not None
                assert drug.code == code


def test_a_code_is_found_in_any_case_and_is_no_name() -> None:
    """A header such as `amk` names its test column, never an antimicrobial."""
    for code, drug in ANTIMICROBIALS.items():
        assert find_antimicrobial(code) is find_antimicrobial(f" {code.lower()} ") is drug
        assert antimicrobial_named(code) is None


@pytest.mark.parametrize("text", ["", " ", "?", "AM", "AMK_NM", "amikacinum", "Amikacin 30", "ward", "de"])
def test_nothing_is_guessed(text: str) -> None:
    """Half a name, a name with more, and nothing at all are no antimicrobial."""
    assert find_antimicrobial(text) is None


def test_the_joining_word_may_be_left_out() -> None:
    """High-level tests have it in their Spanish names, and exports leave it out."""
    drug = antimicrobial_named("Gentamicina alta carga")
    assert drug is ANTIMICROBIALS["GEH"]
