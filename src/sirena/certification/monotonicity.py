"""Whether a higher MIC is ever called more susceptible.

Along each organism and comparator the numbers rise, so the level of the answers (S, then I or SDD, then R or NS)
must not fall. Refusals between two answers are ignored.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sirena.certification.comparison import LEVEL, describe
from sirena.certification.grid import Comparator, Lattice
from sirena.domain.truth_table import ANSWERS


@dataclass(frozen=True, slots=True)
class Reversal:
    """A lower MIC that is called more resistant than a higher one."""

    key: str
    """Organism code, with the body site if that is compared separately."""
    comparator: Comparator
    lower: str
    """The lower number, in mg/L."""
    lower_answer: str
    higher: str
    """The higher number, in mg/L."""
    higher_answer: str
    cells: int
    """How many numbers of this organism and comparator are called more susceptible than some lower number."""

    def __str__(self) -> str:
        sign = self.comparator.prefix
        return f"{self.key}: {sign}{self.lower} is {self.lower_answer} but {sign}{self.higher} is {self.higher_answer}"

    def to_json(self) -> dict[str, Any]:
        """Return the reversal as plain JSON values; `from_json` reads them."""
        return asdict(self) | {"comparator": self.comparator.value}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Reversal":
        """Create the reversal from what `to_json` returned.

        Raises:
            ValueError, TypeError, KeyError: the document was not written by `to_json`.
        """
        return cls(**(dict(document) | {"comparator": Comparator(document["comparator"])}))


def reversals(lattice: Lattice, keys: tuple[str, ...], answers: NDArray[np.uint8]) -> tuple[Reversal, ...]:
    """Return the first reversal of each organism and comparator that has one.

    Args:
        lattice: comparators and numbers that the last two axes stand for.
        keys: keys (organism, perhaps with body site) that the first axis stands for.
        answers: positions in `ANSWERS`, shape (keys, comparators, numbers).

    >>> from sirena.domain.category import Category
    >>> from sirena.domain.truth_table import answer_code
    >>> answers = np.array([[[answer_code(Category.R), answer_code(Category.S)]]], dtype=np.uint8)
    >>> [one.higher for one in reversals(Lattice((Comparator.EQUAL,), ("1", "2")), ("eco",), answers)]
    ['2']
    """
    levels = LEVEL[answers]
    highest_so_far = np.maximum.accumulate(levels, axis=2)
    falls = (levels >= 0) & (levels < highest_so_far)
    entries = []
    for position, comparator in np.argwhere(falls.any(axis=2)).tolist():
        line, fall = levels[position, comparator], falls[position, comparator]
        higher = int(np.argmax(fall))
        lower = int(np.argmax(line == highest_so_far[position, comparator, higher]))
        codes = answers[position, comparator]
        entries.append(
            Reversal(
                key=keys[position],
                comparator=lattice.comparators[comparator],
                lower=lattice.numbers[lower],
                lower_answer=describe(ANSWERS[codes[lower]]),
                higher=lattice.numbers[higher],
                higher_answer=describe(ANSWERS[codes[higher]]),
                cells=int(fall.sum()),
            )
        )
    return tuple(entries)
