"""Drugs that were tested only where others had failed: their percentages mislead.

A laboratory tests a reserve drug on the isolates that resist the first ones. Its %S then speaks of those isolates and
not of the species, and CLSI M39 wants no such drug in an antibiogram. It is seen by another drug: nearly all isolates
that were tested resist it, and far fewer of those that were not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.stewardship.results import COUNTED, KINDS, NS, R, Results

_LEAST: Final = 5
"""Fewer isolates on either side show nothing."""
_NEARLY_ALL: Final = 0.9
_IS_COUNTED, _IS_RESISTANT = (np.isin(np.arange(len(KINDS)), kinds) for kinds in (COUNTED, (R, NS)))
_FURTHER: Final = 0.4
"""By how much the share of resistant isolates differs at least."""


@dataclass(frozen=True)
class PairCounts:
    """In how many isolates of a species each pair of columns was tested; those of parts add up."""

    both: NDArray[np.int64]
    """By column and second column, the isolates tested by both."""
    both_resistant: NDArray[np.int64]
    """Those of them that resist the second."""
    tested: NDArray[np.int64]
    """By column, the isolates tested by it."""
    resistant: NDArray[np.int64]
    """Those of them that resist it."""

    @classmethod
    def of(cls, rows: NDArray[np.uint32], results: Results) -> Self:
        """Count the pairs of a species.

        Args:
            rows: its isolates that count.
            results: of the same file or part.
        """
        kinds = [drug.kinds[rows] for drug in results.values()]
        tested, resistant = (_bits([flags[of_column] for of_column in kinds]) for flags in (_IS_COUNTED, _IS_RESISTANT))
        return cls(
            _together(tested, tested),
            _together(tested, resistant),
            np.bitwise_count(tested).sum(axis=1, dtype=np.int64),
            np.bitwise_count(resistant).sum(axis=1, dtype=np.int64),
        )

    def __add__(self, other: "PairCounts") -> "PairCounts":
        """Add the counts of another part."""
        return PairCounts(
            self.both + other.both,
            self.both_resistant + other.both_resistant,
            self.tested + other.tested,
            self.resistant + other.resistant,
        )


def pair_counts(isolates: pl.DataFrame, results: Results) -> dict[str, PairCounts]:
    """Count the pairs of columns by species.

    Args:
        isolates: those that count, with ``row`` and ``species``.
        results: of the same file or part.
    """
    if not results:
        return {}
    groups = isolates.select("species", "row").group_by("species", maintain_order=True)
    return {str(species): PairCounts.of(group["row"].to_numpy(), results) for (species,), group in groups}


def selectively_tested(pairs: Mapping[str, PairCounts], columns: Sequence[str]) -> Mapping[tuple[str, str], str]:
    """Return the species and columns tested on resistant isolates alone, and the column these resist.

    Args:
        pairs: by species.
        columns: their columns, in order.

    Returns:
        By species, in alphabetical order.
    """
    named: dict[tuple[str, str], str] = {}
    for species, counts in sorted(pairs.items()):
        both, alone = counts.both, counts.tested - counts.both
        if not ((both >= _LEAST) & (alone >= _LEAST)).any():
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            among_tested = counts.both_resistant / both
            among_others = (counts.resistant - counts.both_resistant) / alone
        further = among_tested - among_others
        is_selective = (both >= _LEAST) & (alone >= _LEAST) & (among_tested >= _NEARLY_ALL) & (further >= _FURTHER)
        for drug in np.flatnonzero(is_selective.any(axis=1)):
            other = int(np.argmax(np.where(is_selective[drug], further[drug], -1)))
            named[species, columns[int(drug)]] = columns[other]
    return named


def _bits(columns: Sequence[NDArray[np.bool_]]) -> NDArray[np.uint64]:
    """Return a row of bits for each column, so that counting pairs of columns reads an eighth of the memory."""
    rows = len(columns[0])
    flags = np.zeros((len(columns), -(-rows // 64) * 64), dtype=bool)
    for place, column in zip(flags, columns, strict=True):
        place[:rows] = column
    return np.packbits(flags, axis=1).view(np.uint64)


def _together(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return in how many rows each pair of columns is true together."""
    return np.array([np.bitwise_count(bits & second).sum(axis=1, dtype=np.int64) for bits in first])
