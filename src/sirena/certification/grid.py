"""The questions of a certificate: every MIC that a user can write between 0.001 and 1024 mg/L.

Rules, each with a test of like name:

- 21 two-fold dilutions and the 20 steps halfway between them, as gradient strips print them: 41 numbers;
- each with every comparator, ``=`` (written as the bare number), ``<=``, ``<``, ``>=``, ``>``: 205 questions per
  organism;
- `domain.mic` gives the MIC code of each spelling, so a truth table's answers are read by one array index.

A truth table also holds codes outside the MIC scale (0.0001, 4096 …). They are compared too, as `CODE_LATTICE`, and
counted separately, so that every cell of a table is checked.
"""

import enum
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sirena.domain.mic import CODES, DILUTIONS, MINIMUM_EXPONENT, encode_mics, spell_dilution

LOWEST_EXPONENT: Final = -10
HIGHEST_EXPONENT: Final = 10
"""The scale goes from 2**-10 (0.001) to 2**10 (1024) mg/L."""


class Comparator(enum.StrEnum):
    """The sign before the number; the members are in the order of the grid's second axis."""

    EQUAL = "="
    AT_MOST = "<="
    BELOW = "<"
    AT_LEAST = ">="
    ABOVE = ">"

    @property
    def prefix(self) -> str:
        """The text before the number; empty for an exact MIC."""
        return "" if self is Comparator.EQUAL else self.value


COMPARATORS: Final = tuple(Comparator)


_HALF_STEPS: Final = (
    *("0.0015", "0.003", "0.006", "0.012", "0.023", "0.047", "0.094", "0.19", "0.38", "0.75"),
    *("1.5", "3", "6", "12", "24", "48", "96", "192", "384", "768"),
)

SCALE: Final[tuple[str, ...]] = (
    *chain.from_iterable(
        (spell_dilution(exponent), half_step)
        for exponent, half_step in zip(range(LOWEST_EXPONENT, HIGHEST_EXPONENT), _HALF_STEPS, strict=True)
    ),
    spell_dilution(HIGHEST_EXPONENT),
)
"""The 41 numbers in rising order, mg/L: even positions are dilutions, odd ones the steps between them."""

QUESTIONS: Final[tuple[str, ...]] = tuple(sign.prefix + number for sign in COMPARATORS for number in SCALE)
"""The 205 MICs as a user writes them, comparator after comparator."""

QUESTION_CODES: Final[NDArray[np.int16]] = encode_mics(QUESTIONS)
"""MIC code of each question; shape (205,)."""


@dataclass(frozen=True)
class Lattice:
    """Questions as comparators × rising numbers, so that neighbours can be merged and their order can be checked."""

    comparators: tuple[Comparator, ...]
    numbers: tuple[str, ...]
    """The numbers in mg/L as spelled, rising."""

    @property
    def size(self) -> int:
        """Number of questions per organism."""
        return len(self.comparators) * len(self.numbers)


ASKED_LATTICE: Final = Lattice(COMPARATORS, SCALE)
"""The grid of a certificate; shape (organisms, 5, 41)."""

CODE_LATTICE: Final = Lattice(
    (Comparator.EQUAL, Comparator.AT_MOST, Comparator.AT_LEAST),
    tuple(spell_dilution(MINIMUM_EXPONENT + step) for step in range(DILUTIONS)),
)
"""The cells of a truth table in the order of `Mic.code`; shape (organisms, 3, 28)."""

BEYOND_SCALE: Final[NDArray[np.bool_]] = ~np.isin(np.arange(CODES), QUESTION_CODES).reshape(3, DILUTIONS)
"""True for the MIC codes outside the MIC scale; shape (3, 28)."""


def _canonical_questions() -> NDArray[np.intp]:
    first_question: dict[int, int] = {}
    order = [
        row * len(SCALE) + position
        for step in (slice(0, None, 2), slice(1, None, 2))
        for row in (0, 1, 3, 2, 4)  # plain, <= and >= before the strict signs
        for position in range(len(SCALE))[step]
    ]
    for question in order:
        first_question.setdefault(int(QUESTION_CODES[question]), question)
    return np.array([first_question[int(code)] for code in QUESTION_CODES], dtype=np.intp)


CANONICAL_QUESTION: Final[NDArray[np.intp]] = _canonical_questions()
"""For each question, the plainest one with the same meaning (``<4`` → ``<=2``, 3 → 4); shape (205,)."""
