"""Counts: how many isolates of each stratum and species gave which result, in a form that adds up.

Parts of a hospital that share no patient may be counted apart, on several machines, and added: percentages, intervals
and MIC50 follow from the sum.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl

from sirena.stewardship.results import EXPECTED, HAS_NO_S, IS_URINE_ROW, UNTESTED, Results

_KEYS: Final = ("stratum", "species", "column", "kind", "urine_row", "no_s", "mic")
_GROUP_KEYS: Final = ("stratum", "species")
_KINDS: Final = 16
_MICS: Final = 128
_BITS: Final = 4


@dataclass(frozen=True)
class Counts:
    """Counts of results and of isolates."""

    results: pl.DataFrame
    """``stratum``, ``species``, ``column``, ``kind`` (position in `results.KINDS`), ``urine_row`` (the guideline's row
    is for urine alone), ``no_s`` (there is no S category), ``mic`` (`Mic.code`, -1 for none), ``tested``, ``n``."""
    isolates: pl.DataFrame
    """``stratum``, ``species``, ``isolates``, ``urine_isolates`` (those from urine)."""

    @classmethod
    def of(cls, isolates: pl.DataFrame, results: Results) -> Self:
        """Count isolates.

        Args:
            isolates: those that count, with ``row``, ``stratum``, ``species``, ``site``.
            results: of the whole file.
        """
        groups = isolates.select(_GROUP_KEYS).unique(maintain_order=True).with_row_index("group")
        numbered = isolates.join(groups, on=_GROUP_KEYS, how="left", maintain_order="left")
        rows, group = numbered["row"].to_numpy(), numbered["group"].to_numpy().astype(np.int64)
        parts = []
        for name, drug in results.items():
            tested = drug.tested[rows]
            kinds = drug.kinds[rows]
            bits = (drug.standings[rows] & IS_URINE_ROW) // IS_URINE_ROW + (
                drug.standings[rows] & HAS_NO_S
            ) // HAS_NO_S * 2
            mics = np.maximum(drug.mics[rows].astype(np.int64), -1) + 1
            code = (((group * _KINDS + kinds) * _BITS + bits) * 2 + tested) * _MICS + mics
            code = code[kinds != UNTESTED]
            counted = pl.Series("code", code).value_counts(name="n")
            parts.append(_decoded(counted, name))
        empty = pl.DataFrame(schema=_RESULT_TYPES)
        counted = pl.concat(
            [empty, *(part.join(groups, on="group", how="left").select(empty.columns) for part in parts)]
        )
        whole = isolates.group_by(_GROUP_KEYS, maintain_order=True).agg(
            pl.len().cast(pl.Int64).alias("isolates"),
            (pl.col("site") == "urine").sum().cast(pl.Int64).alias("urine_isolates"),
        )
        return cls(counted, whole.cast({"stratum": pl.String, "species": pl.String}))

    @classmethod
    def added(cls, parts: Iterable["Counts"]) -> Self:
        """Add counts of parts that share no patient."""
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


def _decoded(counted: pl.DataFrame, column: str) -> pl.DataFrame:
    code, bits = pl.col("code"), pl.col("code") // (2 * _MICS) % _BITS
    kind = code // (2 * _MICS * _BITS) % _KINDS
    return counted.select(
        pl.lit(column).alias("column"),
        kind.cast(pl.UInt8).alias("kind"),
        (bits % 2 == 1).alias("urine_row"),
        (bits >= 2).alias("no_s"),
        (code // _MICS % 2 == 1).alias("tested"),
        # what is resistant by nature has no distribution to look at
        pl.when(kind == EXPECTED).then(-1).otherwise(code % _MICS - 1).cast(pl.Int8).alias("mic"),
        (code // (2 * _MICS * _BITS * _KINDS)).cast(pl.UInt32).alias("group"),
        pl.col("n").cast(pl.Int64),
    )
