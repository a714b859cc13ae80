"""Strata: parts of a hospital, or of time, that have separate antibiograms.

Rules, each with a test of like name:

- a stratum of place (ward, ward type, specimen) has its own first isolates, whatever counts elsewhere;
- a stratum of time (year, quarter) is a separate period, so a patient counts once in each;
- age group and origin are split after first isolates are chosen.
"""

import enum
from typing import Final

import polars as pl

WHOLE: Final = "all"
"""Name of the only stratum of the whole file's antibiogram."""
UNKNOWN: Final = "unknown"
"""Stratum of rows without a value."""


class Stratum(enum.StrEnum):
    """The property by which isolates are divided into strata."""

    WARD = "ward"
    WARD_TYPE = "ward-type"
    SPECIMEN = "specimen"
    YEAR = "year"
    QUARTER = "quarter"
    AGE = "age"
    ORIGIN = "origin"

    @property
    def is_place(self) -> bool:
        """True if each stratum has its own first isolates, whatever counts elsewhere."""
        return self in (Stratum.WARD, Stratum.WARD_TYPE, Stratum.SPECIMEN)

    @property
    def is_time(self) -> bool:
        """True if each stratum is a period."""
        return self in (Stratum.YEAR, Stratum.QUARTER)

    @property
    def label(self) -> pl.Expr:
        """Expression for the stratum of each row, as text."""
        if self is Stratum.YEAR:
            label = pl.col("date").dt.year().cast(pl.String)
        elif self is Stratum.QUARTER:
            label = pl.format("{}-Q{}", pl.col("date").dt.year(), pl.col("date").dt.quarter())
        else:
            label = pl.col(_COLUMNS[self]).cast(pl.String)
        return label.fill_null(UNKNOWN)


_COLUMNS: Final = {
    Stratum.WARD: "ward",
    Stratum.WARD_TYPE: "ward_type",
    Stratum.SPECIMEN: "specimen",
    Stratum.AGE: "age_group",
    Stratum.ORIGIN: "origin",
}
