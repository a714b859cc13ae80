"""The truth table: everything one antimicrobial's model, or one guideline edition, can answer.

A model's input is (organism, MIC). Organisms are a vocabulary and an MIC is one of 84 codes (28 dilutions,
exact or censored on either side), so the whole behaviour is a small table. The reference interpreter
compiles guidelines into such tables, a trained network is compiled into one, the certificate compares
two of them, and the panel answers by looking up in them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .category import Category, Reason
from .mic import CODES, DILUTIONS, IMPOSSIBLE, MISSING, UNREADABLE


@dataclass(frozen=True, slots=True)
class Answer:
    """A category, and for NI the reason."""

    category: Category
    reason: Reason | None = None


ANSWERS: Final[tuple[Answer | None, ...]] = (
    None,
    *(Answer(category) for category in Category if category is not Category.NI),
    *(Answer(Category.NI, reason) for reason in Reason),
)
"""Every possible answer; a table's cells are positions in this tuple. Position 0, None, is "not asked" (empty MIC)."""

_LETTERS: Final = ".SDIRNWw-uovcxzmd"
ANSWER_CODES: Final[dict[Answer | None, int]] = {answer: code for code, answer in enumerate(ANSWERS)}
_NO_LETTER: Final = 255
_CODE_OF_LETTER: Final = np.full(256, _NO_LETTER, dtype=np.uint8)
_CODE_OF_LETTER[[ord(letter) for letter in _LETTERS]] = range(len(_LETTERS))
NOT_ASKED: Final = 0


def answer_code(category: Category, reason: Reason | None = None) -> int:
    """Return the cell value of an answer."""
    return ANSWER_CODES[Answer(category, reason)]


_REFUSAL: Final = {
    MISSING: NOT_ASKED,
    UNREADABLE: answer_code(Category.NI, Reason.UNREADABLE_MIC),
    IMPOSSIBLE: answer_code(Category.NI, Reason.IMPOSSIBLE_MIC),
}


@dataclass(frozen=True)
class TruthTable:
    """Answers for every organism of a vocabulary and every MIC."""

    column: str
    """Test column answered, ``AMK_NM``."""
    organisms: tuple[str, ...]
    """WHONET organism codes, one per row of `cells`."""
    cells: NDArray[np.uint8]
    """Shape (organisms, CODES): positions in `ANSWERS`. Axis 1 is `Mic.code`."""
    basis: tuple[str, ...] = field(default=())
    """What each row rests on, in one line per organism (guideline row, or the model's evidence); may be empty."""
    absent: Reason = Reason.NOT_IN_VOCABULARY
    """Why an organism outside the vocabulary is refused."""

    def __post_init__(self) -> None:
        if self.cells.shape != (len(self.organisms), CODES):
            raise ValueError(f"{self.column}: cells of shape {self.cells.shape} for {len(self.organisms)} organisms")

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Row of each organism code."""
        return {code: row for row, code in enumerate(self.organisms)}

    def look_up(self, organisms: Iterable[str | None], mic_codes: NDArray[np.int16]) -> NDArray[np.uint8]:
        """Answer the cross product of distinct organisms and distinct MICs.

        Args:
            organisms: resolved organism codes; None is a missing organism, "" one that could not be resolved.
            mic_codes: from `encode_mics`.

        Returns:
            uint8 array (organisms, mics) of positions in `ANSWERS`.
        """
        names = list(organisms)
        answers = np.empty((len(names), len(mic_codes)), dtype=np.uint8)
        readable = mic_codes >= 0
        columns = np.where(readable, mic_codes, 0)
        for position, name in enumerate(names):
            row = self.row_of.get(name) if name else None
            if row is not None:
                answers[position] = self.cells[row][columns]
            else:
                answers[position] = answer_code(Category.NI, _absence(name, self.absent))
        for code, refusal in _REFUSAL.items():
            answers[:, mic_codes == code] = refusal
        return answers

    def to_json(self) -> dict[str, Any]:
        """Return a plain form that a person can read: per organism three strings, one letter a dilution."""
        letters = np.array(list(_LETTERS))
        return {
            "column": self.column,
            "absent": self.absent.value,
            "letters": {_LETTERS[code]: _describe(answer) for code, answer in enumerate(ANSWERS)},
            "organisms": {
                organism: ["".join(part) for part in letters[self.cells[row]].reshape(3, DILUTIONS)]
                for row, organism in enumerate(self.organisms)
            },
            "basis": dict(zip(self.organisms, self.basis, strict=True)) if self.basis else {},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "TruthTable":
        """Read what `to_json` wrote.

        Raises:
            ValueError: the document is not such a table.
        """
        rows = document["organisms"]
        texts = ["".join(parts) for parts in rows.values()]
        # all rows at once: a release holds a million letters, and every start of the service reads them
        cells = _CODE_OF_LETTER[np.frombuffer("".join(texts).encode("ascii", "replace"), dtype=np.uint8)]
        if any(len(text) != CODES for text in texts) or (cells == _NO_LETTER).any():
            raise ValueError(f"{document['column']}: a row does not hold {CODES} letters of {_LETTERS}")
        basis = document.get("basis") or {}
        return cls(
            column=document["column"],
            organisms=tuple(rows),
            cells=cells.reshape(len(rows), CODES),
            basis=tuple(basis[organism] for organism in rows) if basis else (),
            absent=Reason(document["absent"]),
        )


def _absence(name: str | None, absent: Reason) -> Reason:
    if name is None:
        return Reason.MISSING_ORGANISM
    return absent if name else Reason.UNKNOWN_ORGANISM


def _describe(answer: Answer | None) -> str:
    if answer is None:
        return "not asked"
    return f"NI: {answer.reason.value}" if answer.reason else answer.category.value
