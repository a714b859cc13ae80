"""MIC50 and MIC90: the lowest dilution that inhibits half, or nine tenths, of the isolates.

Rules, each with a test of like name:

- an isolate with an MIC of ``<=0.25`` counts as inhibited at 0.25; an MIC50 that falls on it is ``<=0.25``;
- an isolate with an MIC of ``>4`` is inhibited at no known dilution; an MIC50 that falls on it is ``>4``.
"""

from typing import Final

import polars as pl

from sirena.domain.mic import DILUTIONS, MINIMUM_EXPONENT, Interval, spell_dilution

CELL: Final = ("stratum", "species", "column")
"""Columns that identify one cell of an antibiogram."""
_NEVER: Final = 99
_SHARES: Final = (("mic50", 1, 2), ("mic90", 9, 10))


def mic_summaries(results: pl.DataFrame) -> pl.DataFrame:
    """Return the MIC50, the MIC90 and the range of MICs for each cell of an antibiogram.

    Args:
        results: results as in `Counts.results`; those without an MIC are left out.

    Returns:
        One row per cell: `CELL`, ``mics`` (isolates with an MIC), ``mic50``, ``mic90``, ``mic_low``, ``mic_high``.
    """
    code = pl.col("mic").cast(pl.Int32)
    interval, exponent = code // DILUTIONS, code % DILUTIONS + MINIMUM_EXPONENT
    ends = results.filter(pl.col("mic") >= 0).select(
        *CELL,
        "n",
        pl.when(interval == Interval.AT_LEAST).then(_NEVER).otherwise(exponent).alias("upper"),
        pl.when(interval == Interval.AT_MOST).then(-_NEVER).otherwise(exponent).alias("lower"),
    )
    summaries = ends.group_by(CELL).agg(
        pl.col("n").sum().alias("mics"),
        *(pl.struct(pl.col("upper", "lower").sort_by("upper", "lower")).get(end).alias(name) for name, end in _ENDS),
    )
    for name, part, of in _SHARES:
        bounds = [_quantile(ends, bound, part, of).rename({bound: f"{name} {bound}"}) for bound in ("upper", "lower")]
        summaries = summaries.join(bounds[0], on=CELL).join(bounds[1], on=CELL)
    return summaries.select(
        *CELL,
        "mics",
        *(_spelled(pl.col(f"{name} lower"), pl.col(f"{name} upper")).alias(name) for name, _, _ in _SHARES),
        *(
            _spelled(pl.col(name).struct.field("lower"), pl.col(name).struct.field("upper")).alias(name)
            for name, _ in _ENDS
        ),
    )


_ENDS: Final = (("mic_low", 0), ("mic_high", -1))


def _quantile(ends: pl.DataFrame, bound: str, part: int, of: int) -> pl.DataFrame:
    """Return for each cell the first value of a bound that covers ``part / of`` of its isolates."""
    steps = ends.group_by(*CELL, bound).agg(pl.col("n").sum()).sort(*CELL, bound)
    is_reached = pl.col("n").cum_sum().over(CELL) * of >= pl.col("n").sum().over(CELL) * part
    return steps.filter(is_reached).group_by(CELL).agg(pl.col(bound).first())


def _spelled(lower: pl.Expr, upper: pl.Expr) -> pl.Expr:
    names = {
        exponent: spell_dilution(exponent) for exponent in range(MINIMUM_EXPONENT - 1, MINIMUM_EXPONENT + DILUTIONS)
    }

    def spell(exponent: pl.Expr) -> pl.Expr:
        return exponent.replace_strict(names, default=None, return_dtype=pl.String)

    return (
        pl.when(upper == _NEVER)
        .then(pl.lit(">") + spell(lower - 1))
        .when(lower == -_NEVER)
        .then(pl.lit("<=") + spell(upper))
        .otherwise(spell(upper))
    )
