"""Learned cut points compared with official ones, both read from truth tables in the same way.

The susceptible cut point is the highest exact dilution answered S (or WT), the resistant one the lowest answered
R, NS or NWT. The difference is counted in two-fold dilutions: +1 means that the model's cut point is one dilution
higher.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sirena.certification.comparison import LEVEL


@dataclass(frozen=True, slots=True)
class CutPoint:
    """Cut points of one organism as exponents: the dilution is ``2 ** exponent`` mg/L; None if there is none."""

    key: str
    """Organism code, with the body site if that is compared separately."""
    susceptible: int | None
    """Exponent of the highest dilution that the model calls S."""
    resistant: int | None
    """Exponent of the lowest dilution that the model calls R or NS."""
    official_susceptible: int | None
    official_resistant: int | None
    network_susceptible: float | None = None
    """The network's own lower cut point in mg/L, between two dilutions; None for a model without one."""
    network_resistant: float | None = None
    """The network's own upper cut point in mg/L; None for a model without one."""

    @property
    def susceptible_shift(self) -> int | None:
        """Number of dilutions by which the model's S cut point is above the official one."""
        return _shift(self.susceptible, self.official_susceptible)

    @property
    def resistant_shift(self) -> int | None:
        """Number of dilutions by which the model's R cut point is above the official one."""
        return _shift(self.resistant, self.official_resistant)

    @property
    def is_same(self) -> bool:
        """True if both learned cut points equal the official ones."""
        return (self.susceptible, self.resistant) == (self.official_susceptible, self.official_resistant)

    def to_json(self) -> dict[str, Any]:
        """Return the cut points as plain JSON values, exponents of two; `from_json` reads them."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "CutPoint":
        """Create the cut points from what `to_json` returned.

        Raises:
            TypeError: the document was not written by `to_json`.
        """
        return cls(**document)


def read_cut_points(
    keys: tuple[str, ...],
    model_answers: NDArray[np.uint8],
    reference_answers: NDArray[np.uint8],
    lowest_exponent: int,
    network: Mapping[str, tuple[float | None, float | None]],
) -> tuple[CutPoint, ...]:
    """Return the cut points of every organism, read from two tables of exact dilutions.

    Args:
        keys: keys (organism, perhaps with body site) that the first axis stands for.
        model_answers: the model's positions in `ANSWERS` for rising exact dilutions, shape (keys, dilutions).
        reference_answers: the reference's, same shape.
        lowest_exponent: exponent of the first dilution.
        network: the network's own cut points in mg/L by key, if known.

    >>> from sirena.domain.category import Category
    >>> from sirena.domain.truth_table import answer_code
    >>> susceptible, resistant = answer_code(Category.S), answer_code(Category.R)
    >>> model = np.array([[susceptible, susceptible, resistant]])
    >>> reference = np.array([[susceptible, resistant, resistant]])
    >>> [point] = read_cut_points(("eco",), model, reference, 1, {})
    >>> point.susceptible, point.official_susceptible, point.susceptible_shift
    (2, 1, 1)
    """
    tables = (
        _highest_s(model_answers),
        _lowest_r(model_answers),
        _highest_s(reference_answers),
        _lowest_r(reference_answers),
    )
    columns = [_exponents(table, lowest_exponent) for table in tables]
    return tuple(
        CutPoint(name, s, r, official_s, official_r, *network.get(name, (None, None)))
        for name, s, r, official_s, official_r in zip(keys, *columns, strict=True)
    )


def _highest_s(table: NDArray[np.uint8]) -> NDArray[np.intp]:
    susceptible = LEVEL[table] == 0
    last_position: NDArray[np.intp] = table.shape[1] - 1 - np.argmax(susceptible[:, ::-1], axis=1)
    return np.where(susceptible.any(axis=1), last_position, -1)


def _lowest_r(table: NDArray[np.uint8]) -> NDArray[np.intp]:
    resistant = LEVEL[table] == 2
    return np.where(resistant.any(axis=1), np.argmax(resistant, axis=1), -1)


def _exponents(positions: NDArray[np.intp], lowest_exponent: int) -> list[int | None]:
    return [None if position < 0 else position + lowest_exponent for position in positions.tolist()]


def _shift(model_exponent: int | None, official_exponent: int | None) -> int | None:
    return None if model_exponent is None or official_exponent is None else model_exponent - official_exponent
