"""Two or more drugs together: how many isolates are covered by at least one of them.

Only isolates tested for all of them count: if an isolate is resistant to the first and was not tested for the second,
it is not known whether it is covered. (AMR for R counts an isolate with one drug S and the other untested as covered,
but leaves out one with R and untested: 83 % instead of 75 %.) S counts as covered, and so does EUCAST's I, which is
susceptible at increased exposure; CLSI's SDD and I do not. Expected resistance counts as tested and resistant.
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
    """Return two masks of a file's rows: those with a result for a drug, and those of them that the drug covers."""
    kinds = drug.kinds
    covering = (S, I) if drug.column.guideline == "E" else (S,)
    return np.isin(kinds, (*COUNTED, EXPECTED)), np.isin(kinds, covering)


def combination_columns(text: str, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the columns that a combination such as ``TZP+AMK`` names, once for each guideline of the file.

    Raises:
        UsageError: the text does not name two drugs, or the file has no columns for them.

    >>> combination_columns("TZP+AMK", ["AMK_NM", "TZP_NM"])
    [('TZP_NM', 'AMK_NM')]
    """
    drugs = [part.strip().upper() for part in text.split("+") if part.strip()]
    if len(set(drugs)) < 2:
        raise UsageError("--combination names no two drugs", hint="write two WHONET codes, TZP+AMK")
    column_groups = []
    for suffix in dict.fromkeys(column.partition("_")[2] for column in columns):
        column_names = tuple(f"{drug}_{suffix}" for drug in drugs)
        if set(column_names) <= set(columns):
            column_groups.append(column_names)
    if not column_groups:
        raise UsageError(
            f"--combination: the file has no MIC columns for {' and '.join(drugs)} of one guideline",
            hint="`sirena inspect` shows its columns",
        )
    return column_groups


def combination_counts(isolates: pl.DataFrame, results: Results, columns: Sequence[str]) -> pl.DataFrame:
    """Return for each stratum and species how many isolates were tested for all drugs, and how many are covered.

    Results for parts of a file that share no patient may be concatenated: `combination_shares` adds them.

    Args:
        isolates: counted isolates, with ``row``, ``stratum``, ``species``.
        results: results of the same file or part of a file.
        columns: test columns of the drugs, all by the same guideline.

    Returns:
        Columns ``stratum``, ``species``, ``combination``, ``n`` and ``covered``.
    """
    answered_masks, covered_masks = zip(*(covers(results[column]) for column in columns), strict=True)
    rows = isolates["row"].to_numpy()
    counted_isolates = isolates.select(
        "stratum",
        "species",
        pl.Series("n", np.logical_and.reduce(answered_masks)[rows]),
        pl.Series("covered", np.logical_or.reduce(covered_masks)[rows]),
    )
    return (
        counted_isolates.filter("n")
        .group_by("stratum", "species")
        .agg(pl.col("n", "covered").sum().cast(pl.Int64))
        .select("stratum", "species", pl.lit(" + ".join(columns)).alias("combination"), "n", "covered")
    )


def combination_shares(counts: pl.DataFrame) -> pl.DataFrame:
    """Return `combination_counts` added up, with percentages, confidence intervals and marks of low counts."""
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
