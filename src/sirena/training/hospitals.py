"""Cells in which hospitals give the same MIC different labels."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from sirena.training.cells import mic_text
from sirena.training.counts import HospitalCounts

_CELL: Final = ("column", "organism", "site", "mic_code")


def compare_hospitals(hospitals: Mapping[str, HospitalCounts]) -> pl.DataFrame:
    """Return the cells that hospitals label with different levels: first those furthest apart, then most numerous.

    A cell's level at a hospital is that of most of its labels; if two are equally common, the higher one.

    Args:
        hospitals: counts by the hospital's name.

    Returns:
        One row per cell: column, organism, site, mic, results (of all hospitals), distance (levels apart, 1 or 2), and
        for each hospital a column of its name with its label and number (``R 12``), empty if it has none.

    >>> from sirena.training.counts import COUNT_TYPES
    >>> cell = {"column": "AMK_NM", "organism": "eco", "site": "blood", "mic_code": 16, "part": 3, "weight": 2.0}
    >>> labels = {"north": {"label": "S", "level": 0}, "south": {"label": "R", "level": 2}}
    >>> tallies = {name: pl.DataFrame([cell | label], schema=COUNT_TYPES) for name, label in labels.items()}
    >>> cells = compare_hospitals({name: HospitalCounts((), tally, seed=0) for name, tally in tallies.items()})
    >>> cells.select("organism", "mic", "distance", "north", "south").rows()
    [('eco', '4', 2, 'S 2', 'R 2')]
    """
    names = list(hospitals)
    usual = [_usual(counts.tally).with_columns(pl.lit(name).alias("hospital")) for name, counts in hospitals.items()]
    cells = pl.concat(usual)
    disagreements = (
        cells.group_by(_CELL)
        .agg(
            pl.col("all").sum().cast(pl.Int64).alias("results"),
            (pl.col("level").max() - pl.col("level").min()).cast(pl.Int64).alias("distance"),
        )
        .filter(pl.col("distance") > 0)
    )
    labels = cells.select(
        *_CELL, "hospital", pl.format("{} {}", pl.col("label").cast(pl.String), pl.col("weight").cast(pl.Int64))
    )
    labels_by_hospital = labels.pivot("hospital", index=list(_CELL), values=labels.columns[-1])
    missing = [pl.lit(None, dtype=pl.String).alias(name) for name in names if name not in labels_by_hospital.columns]
    rows = disagreements.join(labels_by_hospital.with_columns(missing), on=_CELL, how="left")
    return (
        rows.with_columns(mic_text())
        .sort("distance", "results", *_CELL, descending=[True, True, False, False, False, False])
        .select("column", "organism", "site", "mic", "results", "distance", *names)
    )


def _usual(tally: pl.DataFrame) -> pl.DataFrame:
    """Return for each cell the commonest label with its level and weight, and the weight of all labels."""
    labels = tally.group_by(*_CELL, "label", "level").agg(pl.col("weight").sum())
    return (
        labels.sort(*_CELL, "weight", "level")
        .group_by(_CELL, maintain_order=True)
        .agg(pl.col("label", "level", "weight").last(), pl.col("weight").sum().alias("all"))
    )
