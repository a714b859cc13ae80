"""What a training learns from: labelled results of one or several hospitals, counted into cells.

Files are counted each by itself and the counts are added, so a hospital can give its counts (`shared_cells`) in the
place of its file: the model is the same, bit for bit, and no row leaves the house.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

import polars as pl

from sirena.domain.test_column import TestColumn
from sirena.domain.truth_table import TruthTable
from sirena.training.cells import LABEL_TYPE, tally
from sirena.training.evidence import LabelSource, collect_evidence
from sirena.whonet.file import WhonetFile

CELL: Final = ("column", "organism", "site", "mic_code", "label", "level", "part")
"""Columns of a tally that say which cell a row is."""
COUNT_TYPES: Final = pl.Schema(
    {
        "column": pl.String(),
        "organism": pl.String(),
        "site": pl.String(),
        "mic_code": pl.Int16(),
        "label": LABEL_TYPE,
        "level": pl.Int8(),
        "part": pl.UInt8(),
        "weight": pl.Float64(),
    }
)
"""Columns of a tally, as `cells.tally` returns them."""


@dataclass(frozen=True)
class HospitalCounts:
    """The laboratory's labelled results of one file, counted."""

    tests: tuple[TestColumn, ...]
    """Its MIC columns, with or without labels."""
    tally: pl.DataFrame
    """As `cells.tally` returns it; empty when the file holds no labels."""
    seed: int
    """Seed by which the isolates were dealt into parts."""

    @classmethod
    def of_file(cls, file: WhonetFile, seed: int) -> Self:
        """Count a file.

        Raises:
            NoOrganismColumnError: the file names no organisms.
        """
        evidence = collect_evidence(file, labels=LabelSource.FILE)
        return cls(tuple(file.mic_columns.values()), tally(evidence.rows, seed), seed)


@dataclass(frozen=True)
class CountedEvidence:
    """Counted evidence, with the labels' source and the reference it may lean on, as of `evidence.Evidence`."""

    tally: pl.DataFrame
    """As `cells.tally` returns it."""
    seed: int
    """Seed by which the isolates were dealt into parts."""
    label_source: LabelSource
    reference: Mapping[str, TruthTable] = field(default_factory=dict)

    def counted(self, seed: int) -> pl.DataFrame:
        """Return the cells.

        Raises:
            ValueError: the isolates were dealt by another seed.
        """
        if seed != self.seed:
            raise ValueError(f"the isolates were dealt by seed {self.seed}, not by {seed}")
        return self.tally


def pooled(hospitals: Iterable[HospitalCounts]) -> pl.DataFrame:
    """Add the cells of several hospitals, dealt by one seed; their order does not matter."""
    return summed(hospital.tally for hospital in hospitals)


def summed(tallies: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Add tallies cell by cell; their order does not matter."""
    return pl.concat([COUNT_TYPES.to_frame(), *tallies]).group_by(CELL).agg(pl.col("weight").sum()).sort(CELL)
