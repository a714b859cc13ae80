"""Drugs that were tested only where others had failed: their percentages mislead.

A laboratory tests a reserve drug on the isolates that resist the first ones. Its %S then speaks of those isolates and
not of the species, and CLSI M39 wants no such drug in an antibiogram. It is seen by another drug: nearly all isolates
that were tested resist it, and far fewer of those that were not.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

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
    for (species,), group in isolates.group_by("species", maintain_order=True):
        rows = group["row"].to_numpy()
        if len(rows) < 2 * _LEAST:
            continue
        kinds = np.stack([results[column].kinds[rows] for column in columns])
        tested, resistant = is_counted[kinds].astype(np.float32), is_resistant[kinds].astype(np.float32)
        both, both_resistant = tested @ tested.T, tested @ resistant.T
        alone, alone_resistant = tested.sum(1) - both, resistant.sum(1) - both_resistant
        with np.errstate(divide="ignore", invalid="ignore"):
            here, there = both_resistant / both, alone_resistant / alone
        told = (both >= _LEAST) & (alone >= _LEAST) & (here >= _NEARLY_ALL) & (here - there >= _FURTHER)
        for drug in np.flatnonzero(told.any(axis=1)):
            other = int(np.argmax(np.where(told[drug], here[drug] - there[drug], -1)))
            named[str(species), columns[drug]] = columns[other]
    return named
