"""Counts that can be added: how many isolates of each stratum and species gave which result.

Parts that share no patient may be counted separately, on several machines, and added; percentages, intervals and MIC50
are computed from the sum.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.domain.truth_table import NOT_ASKED
from sirena.stewardship.parallel import in_parallel
from sirena.stewardship.results import (
    EXPECTED,
    HAS_NO_S,
    IS_URINE_ROW,
    STANDINGS,
    UNTESTED,
    DrugResults,
    Results,
    kind_table,
)

_KEYS: Final = ("stratum", "species", "column", "kind", "urine_row", "no_s", "mic")
_GROUP_KEYS: Final = ("stratum", "species")
_MICS: Final = 128
_BITS: Final = 4
_CODES: Final = 2**14
"""Number of possible results: kinds (up to 16), bits of the standing, tested or not, and MICs."""


@dataclass(frozen=True)
class Counts:
    """Counts of results, and of isolates."""

    results: pl.DataFrame
    """``stratum``, ``species``, ``column``, ``kind`` (position in `results.KINDS`), ``urine_row`` (the guideline's row
    is for urine alone), ``no_s`` (there is no S category), ``mic`` (`Mic.code`, -1 for none), ``tested``, ``n``."""
    isolates: pl.DataFrame
    """Number of isolates: columns ``stratum``, ``species``, ``isolates``, ``urine_isolates`` (those from urine)."""

    @classmethod
    def of(cls, isolates: pl.DataFrame, results: Results) -> Self:
        """Create the counts from isolates and their results.

        Args:
            isolates: counted isolates, with ``row``, ``stratum``, ``species``, ``site``.
            results: results of the same file or part of a file.
        """
        groups = isolates.select(_GROUP_KEYS).unique(maintain_order=True).with_row_index("group")
        group_of_row = isolates.select("row", *_GROUP_KEYS).join(groups, on=_GROUP_KEYS, how="left").sort("row")
        rows, group = group_of_row["row"].to_numpy(), group_of_row["group"].to_numpy().astype(np.int64)
        parts = in_parallel(lambda item: _decoded(*_count(item[1], rows, group), item[0]), results.items())
        no_codes = np.zeros(0, dtype=np.int64)
        kind_counts = pl.concat([_decoded(no_codes, no_codes, no_codes, ""), *parts])
        results_table = kind_counts.join(groups, on="group", how="left", maintain_order="left").select(
            _RESULT_TYPES.names()
        )
        isolate_counts = isolates.group_by(_GROUP_KEYS, maintain_order=True).agg(
            pl.len().cast(pl.Int64).alias("isolates"),
            (pl.col("site") == "urine").sum().cast(pl.Int64).alias("urine_isolates"),
        )
        return cls(results_table, isolate_counts.cast({"stratum": pl.String, "species": pl.String}))

    @classmethod
    def added(cls, parts: Iterable["Counts"]) -> Self:
        """Add up the counts of parts of a file that share no patient."""
        counts = list(parts)
        results = pl.concat([part.results for part in counts])
        isolates = pl.concat([part.isolates for part in counts])
        return cls(
            results.group_by(*_KEYS, "tested").agg(pl.col("n").sum()).select(_RESULT_TYPES.names()),
            isolates.group_by(_GROUP_KEYS).agg(pl.col("isolates", "urine_isolates").sum()),
        )


_RESULT_TYPES: Final = pl.Schema(
    {
        "stratum": pl.String,
        "species": pl.String,
        "column": pl.String,
        "kind": pl.UInt8,
        "urine_row": pl.Boolean,
        "no_s": pl.Boolean,
        "tested": pl.Boolean,
        "mic": pl.Int8,
        "n": pl.Int64,
    }
)


def _count(
    drug: DrugResults, rows: NDArray[np.uint32], group: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return group, code and count of each result that occurs, without untested ones.

    The codes that occur are few, so counting them together with the group needs a small array only.
    """
    codes = _codes(drug)[rows]
    present = np.flatnonzero(np.bincount(codes, minlength=_CODES))
    present = present[present // (_BITS * 2 * _MICS) != UNTESTED]
    place = np.full(_CODES, len(present), dtype=np.int64)
    place[present] = np.arange(len(present))
    width = len(present) + 1
    joint = group * width
    joint += place[codes]
    counts = np.bincount(joint)
    number = np.flatnonzero(counts)
    number = number[number % width != len(present)]
    return number // width, present[number % width], counts[number].astype(np.int64)


def _codes(drug: DrugResults) -> NDArray[np.uint16]:
    """Return kind, bits of the standing, tested or not, and MIC of each row of the file, as one number."""
    codes: NDArray[np.uint16] = _code_table()[drug.standings_and_answers]
    # no MIC is -1, and stands first
    codes += np.maximum(drug.mics, -1).astype(np.uint16)
    codes += np.uint16(1)
    return codes


@cache
def _code_table() -> NDArray[np.uint16]:
    """Return the code, without the MIC, of each standing and answer, ordered by standing first."""
    standings, answers = (part.ravel() for part in np.indices((STANDINGS, 1 << 8)))
    kinds = kind_table().astype(np.uint16)
    bits = (standings & IS_URINE_ROW) // IS_URINE_ROW + (standings & HAS_NO_S) // HAS_NO_S * 2
    table: NDArray[np.uint16] = (((kinds * _BITS + bits) * 2 + (answers != NOT_ASKED)) * _MICS).astype(np.uint16)
    return table


def _decoded(
    groups: NDArray[np.int64], codes: NDArray[np.int64], counts: NDArray[np.int64], column: str
) -> pl.DataFrame:
    kinds, bits = codes // (_BITS * 2 * _MICS), codes // (2 * _MICS) % _BITS
    return pl.DataFrame(
        {
            "group": groups.astype(np.uint32),
            "kind": kinds.astype(np.uint8),
            "urine_row": bits % 2 == 1,
            "no_s": bits >= 2,
            "tested": codes // _MICS % 2 == 1,
            # what is resistant by nature has no distribution to look at
            "mic": np.where(kinds == EXPECTED, -1, codes % _MICS - 1).astype(np.int8),
            "n": counts,
        }
    ).with_columns(pl.lit(column).alias("column"))
