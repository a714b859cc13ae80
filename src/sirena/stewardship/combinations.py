"""Two drugs together: how many isolates at least one of them covers.

Only isolates tested for both count: one that resists the first and was not tested for the second is covered or not,
and nobody knows. (AMR for R counts an untested drug beside an S as covered, and drops it beside an R: 83 % for 75 %.)

S covers, and EUCAST's I, which is susceptible at increased exposure; CLSI's SDD and I do not. Expected resistance
counts as tested and resistant.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.domain.errors import UsageError
from sirena.stewardship.cells import FEW, IDENTIFYING
from sirena.stewardship.intervals import wilson
from sirena.stewardship.results import COUNTED, EXPECTED, DrugResults, I, Results, S
from sirena.stewardship.strata import WHOLE


def covers(drug: DrugResults) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which rows have an answer for a drug, and which of them it covers."""
    kinds = drug.kinds
    covering = (S, I) if drug.column.guideline == "E" else (S,)
    return np.isin(kinds, (*COUNTED, EXPECTED)), np.isin(kinds, covering)


def combination_columns(text: str, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the columns that a combination such as ``TZP+AMK`` means, once for each guideline of the file.

    Raises:
        UsageError: it names no two drugs, or the file has no columns for them.
    """
    drugs = [part.strip().upper() for part in text.split("+") if part.strip()]
    if len(set(drugs)) < 2:
        raise UsageError("--combination names no two drugs", hint="write two WHONET codes, TZP+AMK")
    chosen = []
    for suffix in dict.fromkeys(column.partition("_")[2] for column in columns):
        named = tuple(f"{drug}_{suffix}" for drug in drugs)
        if set(named) <= set(columns):
            chosen.append(named)
    if not chosen:
        raise UsageError(
            f"--combination: the file has no MIC columns for {' and '.join(drugs)} of one guideline",
            hint="`sirena inspect` shows its columns",
        )
    return chosen


def combination_counts(isolates: pl.DataFrame, results: Results, columns: Sequence[str]) -> pl.DataFrame:
    """Return for each stratum and species how many isolates tested for all drugs at least one covers.

    Counts of parts that share no patient may be put one after the other: `combination_shares` adds them.

    Args:
        isolates: those that count, with ``row``, ``stratum``, ``species``.
        results: of the same file or part.
        columns: of one guideline.

    Returns:
        ``stratum``, ``species``, ``combination``, ``n`` and ``covered``.
    """
    answered, covered = zip(*(covers(results[column]) for column in columns), strict=True)
    rows = isolates["row"].to_numpy()
    counted = isolates.select(
        "stratum",
        "species",
        pl.Series("n", np.logical_and.reduce(answered)[rows]),
        pl.Series("covered", np.logical_or.reduce(covered)[rows]),
    )
    return (
        counted.filter("n")
        .group_by("stratum", "species")
        .agg(pl.col("n", "covered").sum().cast(pl.Int64))
        .select("stratum", "species", pl.lit(" + ".join(columns)).alias("combination"), "n", "covered")
    )


def combination_shares(counts: pl.DataFrame) -> pl.DataFrame:
    """Return counts of `combination_counts`, added, with percentages, intervals and marks."""
    sums = (
        counts.group_by("stratum", "species", "combination")
        .agg(pl.col("n", "covered").sum())
        .sort(["stratum", "n", "species", "combination"], descending=[False, True, False, False])
    )
    low, high = wilson(sums["covered"].to_numpy(), sums["n"].to_numpy())
    return sums.select(
        *("stratum", "species", "combination", "n", "covered"),
        (100 * pl.col("covered") / pl.col("n")).alias("percent"),
        pl.Series("low", 100 * low),
        pl.Series("high", 100 * high),
        (pl.col("n") < FEW).alias("few"),
        ((pl.col("stratum") != WHOLE) & (pl.col("n") < IDENTIFYING)).alias("identifying"),
    )
