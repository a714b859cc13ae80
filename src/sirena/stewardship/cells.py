"""The cells of an antibiogram: percentages, intervals and marks, computed from counts.

Rules, each with a test of like name:

- n is S + SDD + I + R + NS; NI, untested, other body sites and expected resistance are shown but are in no denominator;
- if every isolate has expected resistance, there is no percentage;
- if the edition has no S category, there is no %S: results that are not R are %I (EUCAST) or %SDD (CLSI);
- EUCAST's I is susceptible at increased exposure and is shown next to %S; it is never added to R;
- NS counts with R;
- a cell with fewer than 30 isolates is marked ``few``: it must not be used for ranking or for choosing treatment;
- a drug tested in less than 70 % of the isolates (of those from urine, if the row is for urine) is ``partial``.
"""

from typing import Final

import polars as pl

from sirena.domain.test_column import GUIDELINES, parse_test_column
from sirena.stewardship.counts import Counts
from sirena.stewardship.intervals import wilson
from sirena.stewardship.mic_quantiles import CELL, mic_summaries
from sirena.stewardship.results import COUNTED, EXPECTED, KINDS
from sirena.stewardship.strata import WHOLE

FEW: Final = 30
"""A cell with fewer isolates than this is marked (CLSI M39)."""
ROUTINE: Final = 0.7
"""Smallest share of a species' isolates tested for a drug that counts as routine testing (AMASS greys a drug if 30 % or
more have no result).
"""
IDENTIFYING: Final = 5
"""Fewer isolates than this in a ward or another stratum may identify patients."""
_PARENT: Final = pl.col("species").str.replace(r" \((?:MRSA|MSSA)\)$", "")
"""The species to which MRSA and MSSA belong, which precedes them in the order."""
_CATEGORIES: Final = ("S", "SDD", "I", "R", "NS")
_BESIDE: Final = ("NI", "elsewhere", "expected")


COLUMNS: Final = (
    *("stratum", "species", "column", "drug", "guideline", "isolates", "tested"),
    *("n", "S", "SDD", "I", "R", "NS", "NI", "elsewhere", "expected", "untested"),
    *("percent_s", "percent_sdd", "percent_i", "percent_r", "percent_s_i", "low", "high"),
    *("few", "partial", "urine", "mixed", "no_s", "is_expected", "identifying"),
    *("mics", "mic50", "mic90", "mic_low", "mic_high"),
)
"""Columns of the cells, see `antibiogram_cells`."""


def antibiogram_cells(counts: Counts) -> pl.DataFrame:
    """Return the cells of an antibiogram, one row per stratum, species and column, the commonest species first.

    ``isolates`` of the species, ``tested`` for the drug with any result, ``n`` and its categories, and the results
    outside ``n``. Percentages are from 0 to 100, or null; ``percent_s_i`` is S and I of EUCAST. ``low`` and
    ``high`` are Wilson's interval of ``percent_s``, or of results that are not R if there is no S category. MICs are
    text.
    Marks are Boolean: ``mixed`` if isolates from urine and others were read by different breakpoint rows,
    ``identifying`` if a stratum has so few isolates that they may identify patients.
    """
    kind = pl.col("kind")
    is_counted = kind.is_in(list(COUNTED))
    sums = counts.results.group_by(CELL).agg(
        pl.col("n").filter(pl.col("tested")).sum().alias("tested"),
        *(pl.col("n").filter(kind == KINDS.index(name)).sum().alias(name) for name in (*_CATEGORIES, *_BESIDE)),
        pl.col("n").filter(is_counted).sum().alias("n"),
        pl.col("n").filter(is_counted & pl.col("no_s")).sum().alias("n_without_s"),
        pl.col("n").filter(is_counted & pl.col("urine_row")).sum().alias("n_by_urine_row"),
        (pl.col("urine_row") & (kind != EXPECTED)).any().alias("urine"),
    )
    cells = sums.join(counts.isolates, on=["stratum", "species"])
    cells = cells.join(mic_summaries(counts.results), on=CELL, how="left")
    routine_of = pl.when("urine").then("urine_isolates").otherwise("isolates")
    n = pl.col("n")
    marked_cells = _with_drug(cells).with_columns(
        (pl.col("isolates") - pl.col("tested")).alias("untested"),
        ((n > 0) & (n == pl.col("n_without_s"))).alias("no_s"),
        ((n > 0) & (n < FEW)).alias("few"),
        ((n > 0) & (pl.col("tested") - pl.col("elsewhere") < ROUTINE * routine_of)).alias("partial"),
        ((pl.col("n_by_urine_row") > 0) & (pl.col("n_by_urine_row") < n)).alias("mixed"),
        ((n == 0) & (pl.col("expected") > 0)).alias("is_expected"),
        ((pl.col("stratum") != WHOLE) & (pl.col("isolates") < IDENTIFYING)).alias("identifying"),
    )
    return (
        _with_percentages(marked_cells)
        .with_columns(pl.col("isolates").max().over("stratum", _PARENT).alias("together"))
        .sort("stratum", "together", _PARENT, "species", "column", descending=[False, True, False, False, False])
        .select(COLUMNS)
    )


def _with_drug(cells: pl.DataFrame) -> pl.DataFrame:
    names = cells["column"].unique().to_list()
    test_columns = [column for name in names if (column := parse_test_column(name)) is not None]
    drugs = pl.DataFrame(
        {
            "column": [column.name for column in test_columns],
            "drug": [column.drug for column in test_columns],
            "guideline": [GUIDELINES[column.guideline] for column in test_columns],
        },
        schema=dict.fromkeys(("column", "drug", "guideline"), pl.String),
    )
    return cells.join(drugs, on="column")


def _with_percentages(cells: pl.DataFrame) -> pl.DataFrame:
    def share(part: pl.Expr) -> pl.Expr:
        return pl.when(pl.col("n") > 0).then(100 * part / pl.col("n"))

    exposure = pl.col("I") + pl.col("SDD")
    low, high = wilson(
        cells.select(pl.when("no_s").then(exposure).otherwise("S")).to_series().to_numpy(), cells["n"].to_numpy()
    )
    return cells.with_columns(
        pl.when(~pl.col("no_s")).then(share(pl.col("S"))).alias("percent_s"),
        share(pl.col("SDD")).alias("percent_sdd"),
        share(pl.col("I")).alias("percent_i"),
        share(pl.col("R") + pl.col("NS")).alias("percent_r"),
        pl.when(pl.col("guideline") == "EUCAST").then(share(pl.col("S") + pl.col("I"))).alias("percent_s_i"),
        pl.Series("low", 100 * low).fill_nan(None),
        pl.Series("high", 100 * high).fill_nan(None),
    )
