"""Drugs that were tested only where others had failed: their percentages mislead.

A laboratory tests a reserve drug on the isolates that resist the first ones. Its %S then speaks of those isolates and
not of the species, and CLSI M39 wants no such drug in an antibiogram. It is seen by another drug: nearly all isolates
that were tested resist it, and far fewer of those that were not.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.stewardship.results import COUNTED, KINDS, NS, R, Results

_LEAST: Final = 5
"""Fewer isolates on either side show nothing."""
_NEARLY_ALL: Final = 0.9
_FURTHER: Final = 0.4
"""By how much the share of resistant isolates differs at least."""


def selectively_tested(isolates: pl.DataFrame, results: Results) -> Mapping[tuple[str, str], str]:
    """Return the species and columns tested on resistant isolates alone, and the column these resist.

    Args:
        isolates: those that count, with ``row`` and ``species``.
        results: of the whole file.
    """
    columns = list(results)
    named: dict[tuple[str, str], str] = {}
    if not columns:
        return named
    is_counted, is_resistant = (np.isin(np.arange(len(KINDS)), kinds) for kinds in (COUNTED, (R, NS)))
    for (species,), group in isolates.select("species", "row").group_by("species", maintain_order=True):
        rows = group["row"].to_numpy()
        if len(rows) < 2 * _LEAST:
            continue
        kinds = [results[column].kinds[rows] for column in columns]
        tested, resistant = (_bits([flags[of_column] for of_column in kinds]) for flags in (is_counted, is_resistant))
        both, both_resistant = _together(tested, tested), _together(tested, resistant)
        alone = np.bitwise_count(tested).sum(axis=1, dtype=np.int64) - both
        alone_resistant = np.bitwise_count(resistant).sum(axis=1, dtype=np.int64) - both_resistant
        with np.errstate(divide="ignore", invalid="ignore"):
            here, there = both_resistant / both, alone_resistant / alone
        told = (both >= _LEAST) & (alone >= _LEAST) & (here >= _NEARLY_ALL) & (here - there >= _FURTHER)
        for drug in np.flatnonzero(told.any(axis=1)):
            other = int(np.argmax(np.where(told[drug], here[drug] - there[drug], -1)))
            named[str(species), columns[drug]] = columns[other]
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
