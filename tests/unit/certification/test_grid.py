"""The questions of a certificate."""

import math

import numpy as np

from sirena.certification.grid import (
    ASKED_LATTICE,
    BEYOND_SCALE,
    CANONICAL_QUESTION,
    COMPARATORS,
    QUESTION_CODES,
    QUESTIONS,
    SCALE,
)
from sirena.domain.mic import CODES, Mic, parse_mic


def test_scale_is_41_rising_numbers_from_0_001_to_1024() -> None:
    """21 dilutions and 20 steps between them, each half-step strictly between its neighbours."""
    values = [float(number) for number in SCALE]
    assert len(values) == 41
    assert values == sorted(set(values))
    assert (values[0], values[-1]) == (0.001, 1024)
    assert [round(math.log2(value)) for value in values[::2]] == list(range(-10, 11))


def test_every_question_is_an_mic_a_user_can_write() -> None:
    """205 distinct spellings, each read by the MIC parser, none of them missing or impossible."""
    assert len(set(QUESTIONS)) == ASKED_LATTICE.size == 41 * 5
    assert [parse_mic(question).code for question in QUESTIONS] == QUESTION_CODES.tolist()


def test_half_dilutions_round_up_to_the_dilution_above() -> None:
    """An exact half-dilution asks the cell of the next dilution, as ISO 20776-1 rounds."""
    exact = QUESTION_CODES[:41]
    assert (exact[1::2] == exact[2::2]).all()


def test_strict_signs_ask_the_neighbouring_dilution() -> None:
    """``<4`` is ``<=2`` and ``>8`` is ``>=16``, and their plainest spellings say so."""
    for strict, plain in (("<4", "<=2"), (">8", ">=16"), ("<3", "<=2"), (">3", ">=4"), ("3", "4")):
        assert QUESTIONS[CANONICAL_QUESTION[QUESTIONS.index(strict)]] == plain


def test_codes_beyond_the_scale_are_those_no_question_reaches() -> None:
    """Asked codes and codes beyond the scale make up the whole table."""
    beyond = set(np.flatnonzero(BEYOND_SCALE.reshape(-1)).tolist())
    assert beyond.isdisjoint(QUESTION_CODES.tolist())
    assert beyond | set(QUESTION_CODES.tolist()) == set(range(CODES))
    assert all(not -10 <= Mic.from_code(code).exponent <= 10 for code in beyond)


def test_comparators_are_the_five() -> None:
    """No comparator is missing."""
    assert {sign.value for sign in COMPARATORS} == {"=", "<=", "<", ">=", ">"}
