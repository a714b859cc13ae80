"""Drugs that were tested only on isolates resistant to others, so that their percentages mislead.

A laboratory tests a reserve drug on the isolates that resist the first ones. Its %S then describes those isolates and
not the species, and CLSI M39 excludes such drugs from an antibiogram. Selective testing shows by another drug, to which
nearly all tested isolates are resistant, and far fewer of the untested ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.stewardship.results import COUNTED, KINDS, NS, R, Results

_LEAST: Final = 5
"""Fewest isolates, tested and untested, for a judgement."""
_NEARLY_ALL: Final = 0.9
_IS_COUNTED, _IS_RESISTANT = (np.isin(np.arange(len(KINDS)), kinds) for kinds in (COUNTED, (R, NS)))
_FURTHER: Final = 0.4
"""Least difference of the two shares of resistant isolates."""


@dataclass(frozen=True)
class PairCounts:
    """Number of a species' isolates tested in each pair of test columns; counts of parts of a file can be added."""

    both_tested: NDArray[np.int64]
    """Number of isolates tested by both columns of each pair."""
    both_resistant: NDArray[np.int64]
    """Number of these that are resistant by the second column."""
    tested_isolates: NDArray[np.int64]
    """Number of isolates tested by each column."""
    resistant: NDArray[np.int64]
    """Number of these that are resistant."""

    @classmethod
    def of(cls, rows: NDArray[np.uint32], results: Results) -> Self:
        """Count the isolates of one species by pair of test columns.

        Args:
            rows: rows of the species' counted isolates.
            results: results of the same file or part of a file.
        """
        kinds = [drug.kinds[rows] for drug in results.values()]
        tested_bits, resistant_bits = (
            _bits([flags[of_column] for of_column in kinds]) for flags in (_IS_COUNTED, _IS_RESISTANT)
        )
        return cls(
            _together(tested_bits, tested_bits),
            _together(tested_bits, resistant_bits),
            np.bitwise_count(tested_bits).sum(axis=1, dtype=np.int64),
            np.bitwise_count(resistant_bits).sum(axis=1, dtype=np.int64),
        )

    def __add__(self, other: "PairCounts") -> "PairCounts":
        """Return the counts with those of another part added."""
        return PairCounts(
            self.both_tested + other.both_tested,
            self.both_resistant + other.both_resistant,
            self.tested_isolates + other.tested_isolates,
            self.resistant + other.resistant,
        )


def pair_counts(isolates: pl.DataFrame, results: Results) -> dict[str, PairCounts]:
    """Return, for each species, the counts of its isolates by pair of test columns.

    Args:
        isolates: counted isolates, with ``row`` and ``species``.
        results: results of the same file or part of a file.
    """
    if not results:
        return {}
    groups = isolates.select("species", "row").group_by("species", maintain_order=True)
    return {str(species): PairCounts.of(group["row"].to_numpy(), results) for (species,), group in groups}


def selectively_tested(pairs: Mapping[str, PairCounts], columns: Sequence[str]) -> Mapping[tuple[str, str], str]:
    """Return the species and columns tested only on isolates resistant to another drug, with that drug's column.

    Args:
        pairs: counts of pairs by species.
        columns: columns of these counts, in order.

    Returns:
        Columns by (species, column), species in alphabetical order.
    """
    selecting_column: dict[tuple[str, str], str] = {}
    for species, counts in sorted(pairs.items()):
        both_tested, tested_alone = counts.both_tested, counts.tested_isolates - counts.both_tested
        if not ((both_tested >= _LEAST) & (tested_alone >= _LEAST)).any():
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            among_tested = counts.both_resistant / both_tested
            among_others = (counts.resistant - counts.both_resistant) / tested_alone
        further = among_tested - among_others
        is_selective = (
            (both_tested >= _LEAST) & (tested_alone >= _LEAST) & (among_tested >= _NEARLY_ALL) & (further >= _FURTHER)
        )
        for drug in np.flatnonzero(is_selective.any(axis=1)):
            other_drug = int(np.argmax(np.where(is_selective[drug], further[drug], -1)))
            selecting_column[species, columns[int(drug)]] = columns[other_drug]
    return selecting_column


def _bits(columns: Sequence[NDArray[np.bool_]]) -> NDArray[np.uint64]:
    """Return a row of bits for each column, so that counting pairs of columns needs an eighth of the memory."""
    rows = len(columns[0])
    flags = np.zeros((len(columns), -(-rows // 64) * 64), dtype=bool)
    for place, column in zip(flags, columns, strict=True):
        place[:rows] = column
    return np.packbits(flags, axis=1).view(np.uint64)


def _together(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the number of rows in which both columns of each pair are True."""
    return np.array([np.bitwise_count(bits & second).sum(axis=1, dtype=np.int64) for bits in first])
