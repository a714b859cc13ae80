"""The evidence of a training as counts: labelled results of one or several hospitals, counted into cells.

Each file is counted separately and the counts are added. So a hospital can give its counts (`shared_cells`) instead of
its file: the model is the same, bit for bit, and no row leaves the hospital.
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
"""Columns of a tally that identify a cell and part."""
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
"""Columns and types of a tally, as `cells.tally` returns them."""


@dataclass(frozen=True)
class HospitalCounts:
    """The laboratory's labelled results in one file, counted into cells."""

    tests: tuple[TestColumn, ...]
    """MIC columns of the file, with or without labels."""
    tally: pl.DataFrame
    """The cells, as `cells.tally` returns them; empty if the file holds no labels."""
    seed: int
    """Seed by which the isolates were divided into parts."""

    @classmethod
    def of_file(cls, file: WhonetFile, seed: int) -> Self:
        """Create the counts from a file's labelled results.

        Raises:
            NoOrganismColumnError: no column of the file names the organism.
        """
        evidence = collect_evidence(file, labels=LabelSource.FILE)
        return cls(tuple(file.mic_columns.values()), tally(evidence.rows, seed), seed)


@dataclass(frozen=True)
class CountedEvidence:
    """Counted evidence, with the source of its labels and the reference, like `evidence.Evidence`."""

    tally: pl.DataFrame
    """The cells, as `cells.tally` returns them."""
    seed: int
    """Seed by which the isolates were divided into parts."""
    label_source: LabelSource
    reference: Mapping[str, TruthTable] = field(default_factory=dict)

    def weighted_cells(self, seed: int) -> pl.DataFrame:
        """Return the cells, after checking that their isolates were divided into parts by this seed.

        Raises:
            ValueError: the isolates were divided by another seed.
        """
        if seed != self.seed:
            raise ValueError(f"the isolates were dealt by seed {self.seed}, not by {seed}")
        return self.tally


def pool_hospitals(hospitals: Iterable[HospitalCounts]) -> pl.DataFrame:
    """Add up the cells of several hospitals, in any order; all must be divided into parts by the same seed.

    >>> cell = {"column": "AMK_NM", "organism": "eco", "site": "blood", "mic_code": 16, "label": "S", "level": 0}
    >>> north, south = (
    ...     HospitalCounts((), pl.DataFrame([cell | {"part": 3, "weight": weight}], schema=COUNT_TYPES), seed=0)
    ...     for weight in (2.0, 5.0)
    ... )
    >>> pool_hospitals([north, south])["weight"].to_list()
    [7.0]
    """
    return add_tallies(hospital.tally for hospital in hospitals)


def add_tallies(tallies: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Add up tallies, cell by cell; their order does not matter.

    >>> cell = {"column": "AMK_NM", "organism": "eco", "site": "blood", "mic_code": 16, "label": "S", "level": 0}
    >>> parts = [pl.DataFrame([cell | {"part": 3, "weight": weight}], schema=COUNT_TYPES) for weight in (2.0, 5.0)]
    >>> add_tallies(parts)["weight"].to_list()
    [7.0]
    """
    return pl.concat([COUNT_TYPES.to_frame(), *tallies]).group_by(CELL).agg(pl.col("weight").sum()).sort(CELL)
