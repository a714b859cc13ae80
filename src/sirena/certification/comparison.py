"""Where two tables differ, and the kind and name of each difference.

Rules, each with a test of like name:

- S and WT are level 0, I and SDD level 1, R, NS and NWT level 2 (`Category.level`, and the same for ECOFFs);
- a reference at level 2 and an answer at level 0 are a very major error; the reverse is a major error; one side at
  level 1 is a minor error; two names of the same level (R and NS, I and SDD) are a difference in name;
- a refusal (NI) differs from every category, and from a refusal with another reason;
- a refusal without a reason agrees with any refusal.
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sirena.certification.grid import Comparator, Lattice
from sirena.domain.category import Category, Reason
from sirena.domain.truth_table import ANSWERS, NOT_ASKED, Answer


class Kind(enum.StrEnum):
    """How an answer differs from the reference's."""

    VERY_MAJOR = "VME"
    """The reference says R, the model S: a patient may stay untreated."""
    MAJOR = "ME"
    """The reference says S, the model R: a useful drug is withheld."""
    MINOR = "mE"
    """Either the model or the reference says I or SDD."""
    OTHER_NAME = "other_name"
    """Both have the same level under another name: R and NS, I and SDD."""
    REFUSED = "refused"
    """The reference gives a category, the model refuses."""
    ANSWERED = "answered"
    """The reference refuses, the model gives a category."""
    OTHER_REASON = "other_reason"
    """Both refuse, with different reasons."""


KINDS: Final = tuple(Kind)

_LEVELS: Final[Mapping[Category, int]] = {Category.WT: 0, Category.NWT: 2}


def _level(answer: Answer | None) -> int:
    if answer is None or answer.category is Category.NI:
        return -1
    level = answer.category.level
    return _LEVELS[answer.category] if level is None else level


LEVEL: Final[NDArray[np.int8]] = np.array([_level(answer) for answer in ANSWERS], dtype=np.int8)
"""Level of susceptibility for each position in `ANSWERS`: 0, 1, 2, or -1 for a refusal."""


def _kind(reference_answer: int, model_answer: int) -> Kind | None:
    if reference_answer == model_answer:
        return None
    levels = (int(LEVEL[reference_answer]), int(LEVEL[model_answer]))
    match levels:
        case (-1, -1):
            return None if NOT_ASKED in (reference_answer, model_answer) else Kind.OTHER_REASON
        case (-1, _):
            return Kind.ANSWERED
        case (_, -1):
            return Kind.REFUSED
        case (2, 0):
            return Kind.VERY_MAJOR
        case (0, 2):
            return Kind.MAJOR
    return Kind.OTHER_NAME if levels[0] == levels[1] else Kind.MINOR


def _kind_table() -> NDArray[np.uint8]:
    table = np.zeros((len(ANSWERS), len(ANSWERS)), dtype=np.uint8)
    for reference_answer in range(len(ANSWERS)):
        for model_answer in range(len(ANSWERS)):
            kind = _kind(reference_answer, model_answer)
            table[reference_answer, model_answer] = 0 if kind is None else 1 + KINDS.index(kind)
    return table


KIND_OF: Final[NDArray[np.uint8]] = _kind_table()
"""Kind of difference by expected and answered position in `ANSWERS`: 0 for agreement, else 1 + place in `KINDS`."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One difference, equal for consecutive numbers of the MIC scale with one organism and comparator."""

    key: str
    """Organism code, with the body site if that is compared separately."""
    comparator: Comparator
    first: str
    """Lowest number in mg/L, as spelled in the question."""
    last: str
    """Highest number in mg/L; equal to `first` for a single cell."""
    cells: int
    """Number of questions that the disagreement covers."""
    model_answer: Answer | None
    """The model's answer; None is a refusal without reason."""
    reference_answer: Answer | None
    """The reference's answer; None if the reference has no row for the organism."""
    kind: Kind

    @property
    def mics(self) -> str:
        """The MICs as a person reads them: ``<=4`` or ``<=4 … <=16``."""
        low = self.comparator.prefix + self.first
        return low if self.first == self.last else f"{low} … {self.comparator.prefix}{self.last}"

    def __str__(self) -> str:
        return (
            f"{self.key} {self.mics}: answered {describe(self.model_answer)}, "
            f"expected {describe(self.reference_answer)} ({self.kind.value})"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the disagreement as plain JSON values; `from_json` reads them."""
        return {
            "key": self.key,
            "comparator": self.comparator.value,
            "from": self.first,
            "to": self.last,
            "cells": self.cells,
            "answered": describe(self.model_answer),
            "expected": describe(self.reference_answer),
            "kind": self.kind.value,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Disagreement":
        """Create the disagreement from what `to_json` returned.

        Raises:
            ValueError, KeyError: the document was not written by `to_json`.
        """
        return cls(
            key=document["key"],
            comparator=Comparator(document["comparator"]),
            first=document["from"],
            last=document["to"],
            cells=document["cells"],
            model_answer=read_description(document["answered"]),
            reference_answer=read_description(document["expected"]),
            kind=Kind(document["kind"]),
        )


def describe(answer: Answer | None) -> str:
    """Return an answer as text: ``S``, ``NI: censored``, or ``NI`` for a refusal without reason.

    >>> describe(Answer(Category.S)), describe(None)
    ('S', 'NI')
    """
    if answer is None:
        return Category.NI.value
    return f"NI: {answer.reason.value}" if answer.reason else answer.category.value


def read_description(text: str) -> Answer | None:
    """Return the answer that a text from `describe` stands for.

    Raises:
        ValueError: the text is not an answer.

    >>> read_description("R")
    Answer(category=<Category.R: 'R'>, reason=None)
    """
    category, _, reason = text.partition(": ")
    if not reason:
        return None if category == Category.NI else Answer(Category(category))
    return Answer(Category(category), Reason(reason))


def disagreements(
    lattice: Lattice,
    keys: tuple[str, ...],
    reference_answers: NDArray[np.uint8],
    model_answers: NDArray[np.uint8],
    mask: NDArray[np.bool_],
) -> Iterator[Disagreement]:
    """Yield a disagreement for every cell chosen by `mask`; equal disagreements at neighbouring numbers are merged.

    Args:
        lattice: comparators and numbers that the last two axes stand for.
        keys: keys (organism, perhaps with body site) that the first axis stands for.
        reference_answers: the reference's positions in `ANSWERS`, shape (keys, comparators, numbers).
        model_answers: the model's positions in `ANSWERS`, same shape.
        mask: True for the cells to yield, same shape.

    >>> from sirena.domain.truth_table import answer_code
    >>> susceptible, resistant = answer_code(Category.S), answer_code(Category.R)
    >>> reference, model = np.array([[[susceptible, resistant, resistant]]]), np.array([[[susceptible] * 3]])
    >>> lattice = Lattice((Comparator.EQUAL,), ("8", "16", "32"))
    >>> print(*disagreements(lattice, ("eco",), reference, model, reference != model))
    eco 16 … 32: answered S, expected R (VME)
    """
    numbers = len(lattice.numbers)
    pair = np.where(mask, reference_answers.astype(np.int16) * len(ANSWERS) + model_answers, -1)
    previous_pair = np.full(pair.shape, -2, dtype=np.int16)
    previous_pair[..., 1:] = pair[..., :-1]
    next_pair = np.full(pair.shape, -2, dtype=np.int16)
    next_pair[..., :-1] = pair[..., 1:]
    starts = np.flatnonzero(mask & (pair != previous_pair))
    ends = np.flatnonzero(mask & (pair != next_pair))
    pairs = pair.reshape(-1)[starts]
    for start, end, code in zip(starts.tolist(), ends.tolist(), pairs.tolist(), strict=True):
        line, low = divmod(start, numbers)
        position, comparator = divmod(line, len(lattice.comparators))
        reference_answer, model_answer = divmod(code, len(ANSWERS))
        yield Disagreement(
            key=keys[position],
            comparator=lattice.comparators[comparator],
            first=lattice.numbers[low],
            last=lattice.numbers[end - line * numbers],
            cells=end - start + 1,
            model_answer=ANSWERS[model_answer],
            reference_answer=ANSWERS[reference_answer],
            kind=KINDS[KIND_OF[reference_answer, model_answer] - 1],
        )
