"""WISCA: how likely a drug covers an infection of unknown cause, weighted by how often each species causes it.

The syndrome is the kind of specimen. With nᵢ isolates of species i tested, sᵢ of them covered, k species and N isolates
in all, the coverage is Σ (1+nᵢ)/(k+N) · (1+sᵢ)/(2+nᵢ): the posterior mean of a Dirichlet distribution of species and a
beta distribution of susceptibility, both with flat priors. The interval is drawn from both, with a fixed seed.

Expected resistance counts as tested and not covered. Source: Bielicki et al., J Antimicrob Chemother 2016;71:794.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
    """Coverage of a syndrome by a drug, as shares between 0 and 1."""

    mean: float
    low: float
    high: float


def coverage(tested: ArrayLike, covered: ArrayLike) -> Coverage:
    """Return the coverage of a syndrome.

    >>> f"{coverage([60, 30, 10], [45, 21, 7]).mean:.5f}"
    '0.71751'

    Args:
        tested: isolates of each species.
        covered: how many of them the drug covers.
    """
    n, s = np.asarray(tested, dtype=np.float64), np.asarray(covered, dtype=np.float64)
    mean = float(np.sum((1 + n) / (len(n) + n.sum()) * (1 + s) / (2 + n)))
    random = np.random.default_rng(_SEED)
    weights = random.dirichlet(1 + n, size=_DRAWS)
    drawn = (weights * random.beta(1 + s, 1 + n - s, size=(_DRAWS, len(n)))).sum(axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Coverage(mean, float(low), float(high))


def wisca(isolates: pl.DataFrame, results: Results, regimens: Sequence[Sequence[str]]) -> pl.DataFrame:
    """Return the coverage of each syndrome by each regimen.

    Args:
        isolates: those that count, with ``row``, ``site``, ``species``.
        results: of the whole file.
        regimens: columns given together; one or several.

    Returns:
        ``syndrome``, ``regimen``, ``species`` (how many), ``n``, ``percent``, ``low``, ``high``, ``few``.
    """
    rows = []
    for (site,), group in isolates.group_by("site", maintain_order=True):
        position = group["row"].to_numpy()
        for columns in regimens:
            answered, covered = zip(*(covers(results[column]) for column in columns), strict=True)
            sums = (
                group.select(
                    "species",
                    pl.Series("n", np.logical_and.reduce(answered)[position]),
                    pl.Series("s", np.logical_or.reduce(covered)[position]),
                )
                .filter("n")
                .group_by("species")
                .agg(pl.col("n", "s").sum())
                .sort("species")
            )
            if sums.is_empty() or not sums["s"].sum():
                continue
            answer, n = coverage(sums["n"], sums["s"]), int(sums["n"].sum())
            shares = (100 * answer.mean, 100 * answer.low, 100 * answer.high)
            rows.append((site, " + ".join(columns), sums.height, n, *shares, n < FEW))
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row").sort("syndrome", "regimen")


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
