"""What laboratories write around an MIC: each rule of the module's docstring."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.domain.category import Category
from sirena.domain.mic import UNREADABLE, encode_mics, parse_mic
from sirena.domain.notation import label_beside, read_for


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("<=0.5/9.5", "<=0.5"),
        ("8/4", "8"),
        (">8/4", ">8"),
        ("2/38", "2"),
        ("<=1/19", "<=1"),
        ("0.25/4.75", "0.25"),
        (">128/4", ">128"),
        ("4/2", "4"),
        ("<=4/4", "<=4"),
        (">=32/", ">=32"),
        ("≥32/", ">=32"),
    ],
)
def test_the_first_agents_figure_counts(text: str, same_as: str) -> None:
    """As guidelines print combinations."""
    assert parse_mic(text) == parse_mic(same_as)


@pytest.mark.parametrize("text", ["1/2", "8/3", "4/64", "1/2/2024", "0/4", "8/", "8//4"])
def test_two_numbers_that_are_no_combination_are_not_read(text: str) -> None:
    """A half, a date, anything; a slash alone behind a number is the rest of a combination cut off."""
    read = int(encode_mics([text])[0])
    assert read == (parse_mic("8").code if text == "8/" else UNREADABLE)


@pytest.mark.parametrize(
    ("text", "same_as", "label"),
    [
        ("<=0.25 S", "<=0.25", Category.S),
        ("0.25 (S)", "0.25", Category.S),
        (">32 R", ">32", Category.R),
        ("4 mg/L I", "4", Category.I),
        ("8/4 SDD", "8", Category.SDD),
        ("0,5S", "0.5", Category.S),
        ("4", "4", None),
    ],
)
def test_a_category_beside_the_number_is_the_laboratorys_label(text: str, same_as: str, label: Category | None) -> None:
    """It is kept apart and changes no MIC."""
    assert parse_mic(text) == parse_mic(same_as)
    assert label_beside(text) is label


@pytest.mark.parametrize(("text", "same_as"), [(">8*", ">8"), ("4 µg/mL", "4"), ("4 μg/ml *", "4"), ("2mcg/mL", "2")])
def test_flags_and_units_change_nothing(text: str, same_as: str) -> None:
    """A star behind the number, a unit of the same size."""
    assert parse_mic(text) == parse_mic(same_as)


@pytest.mark.parametrize("text", ["1,024", "1.024", ">1.024", ">=2,048", "<= 4.096", "8,192 mg/L", "1.024 R"])
def test_a_thousands_sign_is_not_read(text: str) -> None:
    """No dilution scale knows 1.024, so 1.024 is no susceptible result."""
    assert encode_mics([text])[0] == UNREADABLE


@pytest.mark.parametrize("text", ["1.5", "0.125", "1.000", "0,064", "1024", "1.0"])
def test_decimals_of_dilutions_are_read(text: str) -> None:
    """Three decimals alone are no thousands."""
    assert encode_mics([text])[0] >= 0


def test_two_numbers_of_a_single_agent_are_not_read() -> None:
    """8/4 of amikacin is two results or a date, 8/4 of piperacillin/tazobactam is 8."""
    assert encode_mics(["8/4"], "AMK")[0] == UNREADABLE
    assert encode_mics(["8/4"], "TZP")[0] == parse_mic("8").code


@pytest.mark.parametrize("text", ["20", "<=20", "40", "80 R", "160", ">=320", "10"])
def test_a_single_sum_of_both_agents_is_not_read(text: str) -> None:
    """20 of trimethoprim/sulfamethoxazole is 1/19; read as trimethoprim it would be resistant."""
    assert encode_mics([text], "SXT")[0] == UNREADABLE
    assert encode_mics(["2", "2/38", "1.5"], "SXT").tolist() == encode_mics(["2", "2", "2"]).tolist()


@pytest.mark.parametrize(
    ("drug", "text", "same_as"),
    [("GEH", "SYN-S", "<=500"), ("GEH", "syn-r", ">500"), ("STH", "SYN-S", "<=1000"), ("STH", "SYN-R", ">1000")],
)
def test_a_synergy_screen_is_its_concentration(drug: str, text: str, same_as: str) -> None:
    """Of high-level aminoglycosides only; elsewhere it is text."""
    assert encode_mics([text], drug)[0] == parse_mic(same_as).code
    assert encode_mics([text], "AMK")[0] == UNREADABLE


@given(st.text(max_size=80), st.sampled_from(["SXT", "AMK", "TZP", "GEH"]))
def test_any_text_is_read_or_refused(text: str, drug: str) -> None:
    """No text breaks the reading, and what one column refuses is never another MIC than every column reads."""
    alone, within = encode_mics([text])[0], encode_mics([read_for(drug, text)])[0]
    assert within in (alone, UNREADABLE) or text.strip().upper().replace(" ", "").startswith("SYN-")
