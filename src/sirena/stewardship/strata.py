"""Strata: the parts of a hospital, or of time, that have an antibiogram of their own.

Rules, each with a test of like name:

- a stratum of place (ward, ward type, specimen) has its own first isolates: the ward's antibiogram is the ward's own;
- a stratum of time (year, quarter) is a period of its own, so a patient counts once in each;
- age group and origin are split after first isolates are chosen.
"""

import enum
from typing import Final

import polars as pl

WHOLE: Final = "all"
"""The one stratum of the antibiogram of everything."""
UNKNOWN: Final = "unknown"
"""Stratum of the rows that do not say."""


class Stratum(enum.StrEnum):
    """By what the isolates are parted."""

    WARD = "ward"
    WARD_TYPE = "ward-type"
    SPECIMEN = "specimen"
    YEAR = "year"
    QUARTER = "quarter"
    AGE = "age"
    ORIGIN = "origin"

    @property
    def is_place(self) -> bool:
        """True where each stratum has first isolates of its own, whatever counts elsewhere."""
        return self in (Stratum.WARD, Stratum.WARD_TYPE, Stratum.SPECIMEN)

    @property
    def is_time(self) -> bool:
        """True where each stratum is a period."""
        return self in (Stratum.YEAR, Stratum.QUARTER)

    @property
    def label(self) -> pl.Expr:
        """The stratum of each row, as text."""
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
