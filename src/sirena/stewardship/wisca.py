"""WISCA: the probability that a drug covers an infection of unknown cause, weighted by the species' frequencies.

The syndrome is the kind of specimen. With nᵢ isolates of species i tested, sᵢ of them covered, k species and N isolates
in all, the coverage is Σ (1+nᵢ)/(k+N) · (1+sᵢ)/(2+nᵢ): the posterior mean of a Dirichlet distribution of species and a
beta distribution of susceptibility, both with flat priors. The interval is drawn from both, with a fixed seed.

Expected resistance counts as tested and not covered. Source: Bielicki et al., J Antimicrob Chemother 2016;71:794.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from sirena.stewardship.cells import FEW
from sirena.stewardship.combinations import covers
from sirena.stewardship.results import Results

_DRAWS: Final = 4_000
_SEED: Final = 20_160_101


@dataclass(frozen=True, slots=True)
class Coverage:
    """Coverage of a syndrome by a drug, as fractions between 0 and 1."""

    mean: float
    low: float
    high: float


def coverage(tested_isolates: ArrayLike, covered_isolates: ArrayLike) -> Coverage:
    """Return the coverage of a syndrome by a drug.

    >>> f"{coverage([60, 30, 10], [45, 21, 7]).mean:.5f}"
    '0.71751'

    Args:
        tested_isolates: number of tested isolates of each species.
        covered_isolates: number of these that the drug covers.
    """
    return _coverage(tuple(np.asarray(tested_isolates).tolist()), tuple(np.asarray(covered_isolates).tolist()))


@lru_cache(4096)  # the draws are dear, and pages count the same isolates by other strata
def _coverage(tested_isolates: tuple[float, ...], covered_isolates: tuple[float, ...]) -> Coverage:
    n, s = np.asarray(tested_isolates, dtype=np.float64), np.asarray(covered_isolates, dtype=np.float64)
    mean = float(np.sum((1 + n) / (len(n) + n.sum()) * (1 + s) / (2 + n)))
    random = np.random.default_rng(_SEED)
    weights = random.dirichlet(1 + n, size=_DRAWS)
    coverage_draws = (weights * random.beta(1 + s, 1 + n - s, size=(_DRAWS, len(n)))).sum(axis=1)
    low, high = np.quantile(coverage_draws, (0.025, 0.975))
    return Coverage(mean, float(low), float(high))


def syndrome_counts(isolates: pl.DataFrame, results: Results, regimens: Sequence[Sequence[str]]) -> pl.DataFrame:
    """Return for each syndrome, regimen and species the number of tested and of covered isolates.

    Columns: ``syndrome``, ``regimen``, ``species``, ``n`` and ``covered``. Results for parts of a file that share no
    patient may be concatenated: `wisca` adds them.

    Args:
        isolates: counted isolates, with ``row``, ``site``, ``species``.
        results: results of the same file or part of a file.
        regimens: the regimens; each is the test columns of one drug, or of several given together.
    """
    rows = isolates["row"].to_numpy()
    counts = [pl.DataFrame(schema=_COUNTS)]
    for columns in regimens:
        answered_masks, covered_masks = zip(*(covers(results[column]) for column in columns), strict=True)
        counted_isolates = isolates.select(
            pl.col("site").cast(pl.String).alias("syndrome"),
            pl.lit(" + ".join(columns)).alias("regimen"),
            "species",
            pl.Series("n", np.logical_and.reduce(answered_masks)[rows]),
            pl.Series("covered", np.logical_or.reduce(covered_masks)[rows]),
        ).filter("n")
        counts.append(
            counted_isolates.group_by("syndrome", "regimen", "species").agg(pl.col("n", "covered").sum().cast(pl.Int64))
        )
    return pl.concat(counts)


def wisca(counts: pl.DataFrame) -> pl.DataFrame:
    """Return the coverage of each syndrome by each regimen.

    Args:
        counts: counts from `syndrome_counts`.

    Returns:
        Columns ``syndrome``, ``regimen``, ``species`` (their number), ``n``, ``percent``, ``low``, ``high``, ``few``.
    """
    rows = []
    sums = counts.group_by("syndrome", "regimen", "species").agg(pl.col("n", "covered").sum()).sort("species")
    for (syndrome, regimen), species in sums.group_by("syndrome", "regimen", maintain_order=True):
        if not species["covered"].sum():
            continue
        answer, n = coverage(species["n"], species["covered"]), int(species["n"].sum())
        shares = (100 * answer.mean, 100 * answer.low, 100 * answer.high)
        rows.append((syndrome, regimen, species.height, n, *shares, n < FEW))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row").sort("syndrome", "regimen")


_COUNTS: Final = {
    "syndrome": pl.String,
    "regimen": pl.String,
    "species": pl.String,
    "n": pl.Int64,
    "covered": pl.Int64,
}


_SCHEMA: Final = {
    "syndrome": pl.String,
    "regimen": pl.String,
    "species": pl.Int64,
    "n": pl.Int64,
    "percent": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "few": pl.Boolean,
}
