"""Reading MICs: each rule of the module's docstring."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.domain.mic import (
    CODES,
    IMPOSSIBLE,
    MAXIMUM_EXPONENT,
    MINIMUM_EXPONENT,
    MISSING,
    UNREADABLE,
    Interval,
    Mic,
    encode_mics,
    parse_mic,
    spell_dilution,
)

exponents = st.integers(MINIMUM_EXPONENT, MAXIMUM_EXPONENT)


@pytest.mark.parametrize(
    ("text", "dilution"),
    [("0.19", 0.25), ("0.094", 0.125), ("1.5", 2), ("3", 4), ("12", 16), ("0.38", 0.5), ("0.5", 0.5), ("65", 128)],
)
def test_number_is_rounded_up_to_the_next_two_fold_dilution(text: str, dilution: float) -> None:
    """A value between two dilutions counts as the higher one."""
    assert parse_mic(text) == Mic(Interval.EXACT, int(math.log2(dilution)))


@pytest.mark.parametrize(
    ("spellings", "exponent"),
    [
        (["0.12", "0.125", "0.13", ".12", "0,125"], -3),
        (["0.06", "0.064", "0.0625", "0,06"], -4),
        (["0.03", "0.032", "0.03125"], -5),
        (["0.015", "0.016", "0.015625"], -6),
        (["0.008", "0.0078"], -7),
        (["0.004"], -8),
        (["0.002"], -9),
        (["0.001"], -10),
    ],
)
def test_shortened_spellings_are_the_dilution_itself(spellings: list[str], exponent: int) -> None:
    """0.12, 0.125 and 0.13 are one dilution, and so on down the scale."""
    assert {parse_mic(text) for text in spellings} == {Mic(Interval.EXACT, exponent)}


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("<4", "<=2"),
        (">8", ">=16"),
        ("<0.5", "<=0.25"),
        ("<1.7", "<=1"),
        (">6", ">=8"),
        ("<=1.7", "<=2"),
        (">=12", ">=16"),
    ],
)
def test_strict_comparators_name_the_next_dilution(text: str, same_as: str) -> None:
    """Less than 4 on a two-fold scale is 2 or less; more than 8 is 16 or more."""
    assert parse_mic(text) == parse_mic(same_as)


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        (">500", ">=512"), (">1000", ">=1024"), (">2000", ">=2048"),
        ("<=500", "<=256"), ("<=1000", "<=512"), ("<=2000", "<=1024"), ("≤ 1000,0", "<=512"),
        (">=500", ">=512"), ("<500", "<=256"), ("<1000", "<=512"),
        ("500", "512"), ("1000", "1024"), ("2000", "2048"),
    ],
)  # fmt: skip
def test_screens_of_500_1000_and_2000_lie_between_two_dilutions(text: str, same_as: str) -> None:
    """Growth at 500 mg/L is 512 or more; no growth at 500 excludes 512. They are concentrations of screens."""
    assert parse_mic(text) == parse_mic(same_as)


concentrations = st.one_of(
    st.floats(2.0 ** (MINIMUM_EXPONENT + 1), 2.0 ** (MAXIMUM_EXPONENT - 1)),
    st.floats(480, 2100),
    st.sampled_from([499.0, 500.0, 505.0, 512.0, 513.0, 999.0, 1000.0, 1024.0, 2000.0, 2048.0]),
)


@given(concentrations, concentrations, st.sampled_from(["<", "", ">=", ">"]))
def test_a_higher_number_is_never_a_lower_dilution_behind_one_comparator(
    one: float, other: float, comparator: str
) -> None:
    """Spelling rules keep the order for every comparator."""
    low, high = sorted((one, other))
    assert parse_mic(f"{comparator}{low!r}").exponent <= parse_mic(f"{comparator}{high!r}").exponent


def test_comparators_are_part_of_the_value() -> None:
    """16, at most 16 and at least 16 are three different MICs."""
    assert len({parse_mic(text).code for text in ("16", "<=16", ">=16")}) == 3


@pytest.mark.parametrize(
    "text", ["≤0,5", "<= 0.5", "=<0.5", " <=0.50 ", "≤ 0.5 mg/L", "⩽0.5", "<=0.5 µg/mL", "<=\u00a00.5", "<=5e-1"]
)
def test_every_spelling_of_at_most_is_read(text: str) -> None:
    """Signs, spaces, commas and units of Spanish and English files mean the same."""
    assert str(parse_mic(text)) == "<=0.5"


@pytest.mark.parametrize(
    "text", ["abc", "<=", "S", "R", "1 2", "1/2", "0.5;1", "<>1", "nan", "inf", "\x00", "16mm", "--1"]
)
def test_text_is_unreadable(text: str) -> None:
    """What is not a comparator and one number is no MIC."""
    assert encode_mics([text])[0] == UNREADABLE


@pytest.mark.parametrize("text", ["0", "-1", "0.0", "1e9", "99999", "1e-9", "<=0", ">8192", "<0.00006"])
def test_number_no_test_can_give_is_impossible(text: str) -> None:
    """Zero, negative and far off the scale are refused, not rounded."""
    assert encode_mics([text])[0] == IMPOSSIBLE


def test_empty_cells_are_missing() -> None:
    """None, nothing and blanks are no result at all."""
    assert encode_mics([None, "", "  "]).tolist() == [MISSING] * 3


@given(st.integers(0, CODES - 1))
def test_code_and_mic_are_one_to_one(code: int) -> None:
    """Every code is one MIC, and spelling it and reading it back gives the code again."""
    mic = Mic.from_code(code)
    assert mic.code == code
    assert parse_mic(str(mic)) == mic


@given(st.floats(2.0**MINIMUM_EXPONENT, 2.0**MAXIMUM_EXPONENT), st.floats(2.0**MINIMUM_EXPONENT, 2.0**MAXIMUM_EXPONENT))
def test_a_higher_number_is_never_a_lower_dilution(one: float, other: float) -> None:
    """Rounding keeps the order."""
    low, high = sorted((one, other))
    assert parse_mic(repr(low)).exponent <= parse_mic(repr(high)).exponent


@given(exponents)
def test_comma_and_point_are_the_same(exponent: int) -> None:
    """A Spanish decimal comma reads like a point."""
    text = spell_dilution(exponent)
    assert np.array_equal(encode_mics([text]), encode_mics([text.replace(".", ",")]))


@pytest.mark.parametrize("cell", [" " * 1_000_000 + "x", "4" + " " * 1_000_000 + "x", "9" * 1_000_000 + "x"])
def test_a_cell_of_a_million_characters_is_refused_in_linear_time(cell: str) -> None:
    """A damaged or hostile cell must not occupy the reader: by retrying every blank it would take hours."""
    assert encode_mics([cell]).tolist() == [UNREADABLE]
