"""Weighted cells: rows that say the same thing are counted once.

Rows that share (organism, MIC, label) are one cell with a weight. The loss of a network is a sum over rows, so
the sum over cells, each times its weight, is the same number with the same gradient; its cost follows the
variety of a file (a few hundred cells a drug) and not its length.

Isolates are dealt into `PARTS` parts before counting, so a held-out share is always whole isolates.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.domain.category import LABELS, Category

PARTS: Final = 20
"""Number of parts the isolates are dealt into; one of them is 5 % of the isolates."""
FOLDS: Final = 5
"""Number of folds of a cross-validation; a fold is every fifth part."""
LEVELS: Final = 3
"""Ordinal levels of a label: S=0, I and SDD=1, R and NS=2 (`Category.level`)."""

LABEL_TYPE: Final = pl.Enum([*(label.value for label in LABELS), Category.NI.value])
"""Column type of a label in every frame of evidence. NI stands only in a reference's grid, where a breakpoint with R
alone states nothing below it."""
REFERENCE_PART: Final = 255
"""Part of cells that come from a reference's grid: no isolate's, so never held out."""
_WORD: Final = 2**32
_DEFAULT_NAMES: Final = (Category.S, Category.I, Category.R)


def part_of_isolate(isolate: pl.Expr, seed: int) -> pl.Expr:
    """Deal isolates into `PARTS` parts by a fixed arithmetic hash (never by a library's, which changes by version).

    Args:
        isolate: UInt32 number of the isolate.
        seed: another seed deals anew.
    """
    mixed = (isolate.cast(pl.UInt64) + seed * 2_654_435_769) % _WORD
    for _ in range(2):
        mixed = (mixed ^ (mixed // 65_536)) * 73_244_475 % _WORD
    return ((mixed ^ (mixed // 65_536)) % PARTS).cast(pl.UInt8)


def tally(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Count rows into cells.

    Args:
        rows: evidence, one row a labelled result (see `evidence.Evidence.rows`).
        seed: decides which isolates share a part.

    Returns:
        Columns column, organism, mic_code, label, level, part, weight, sorted, one row a cell and part.
    """
    keys = ["column", "organism", "mic_code", "label", "level", "part"]
    return (
        rows.lazy()
        .with_columns(
            part_of_isolate(pl.col("isolate"), seed).alias("part"),
            pl.col("label").replace_strict(_LEVEL_OF, return_dtype=pl.Int8).alias("level"),
        )
        .group_by(keys)
        .agg(pl.len().cast(pl.Float64).alias("weight"))
        .with_columns(pl.col("column", "organism").cast(pl.String))
        .sort(keys)
        .collect()
    )


@dataclass(frozen=True)
class Cells:
    """The evidence for one antimicrobial, as arrays of one entry a cell."""

    column: str
    """Test column, ``AMK_NM``."""
    organisms: tuple[str, ...]
    """WHONET codes, sorted."""
    names: NDArray[np.str_]
    """Shape (organisms, LEVELS): how each level is called for each organism, as most of its labels call it."""
    organism: NDArray[np.int32]
    """Position in `organisms`."""
    mic_code: NDArray[np.int16]
    """`domain.mic` code, 0 … CODES-1."""
    level: NDArray[np.int8]
    """Ordinal level of the label."""
    weight: NDArray[np.float64]
    """Results in this cell, all isolates."""
    held_out: NDArray[np.float64]
    """Results in this cell from the held-out isolates (part 0); part of `weight`."""
    folds: NDArray[np.float64]
    """Shape (cells, FOLDS): results in this cell by the isolates' fold; a reference's cells are in none."""

    @property
    def results(self) -> int:
        """Number of labelled results behind the cells."""
        return int(self.weight.sum())

    def level_counts(self) -> list[int]:
        """Return the number of results at each level."""
        return [int(self.weight[self.level == level].sum()) for level in range(LEVELS)]

    def digest(self) -> str:
        """Return the SHA-256 of what was learnt from: organisms, level names and every weighted cell."""
        digest = hashlib.sha256("\n".join((self.column, *self.organisms, *self.names.ravel())).encode())
        for array in (self.organism, self.mic_code, self.level, self.weight, self.held_out, self.folds):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def of_tested_organisms(self) -> "Cells":
        """Leave out the organisms no isolate was labelled for."""
        tested = np.bincount(self.organism, weights=self.folds.sum(axis=1), minlength=len(self.organisms)) > 0
        kept = tested[self.organism]
        return Cells(
            column=self.column,
            organisms=tuple(code for code, found in zip(self.organisms, tested, strict=True) if found),
            names=self.names[tested],
            organism=(np.cumsum(tested) - 1)[self.organism[kept]].astype(np.int32),
            mic_code=self.mic_code[kept],
            level=self.level[kept],
            weight=self.weight[kept],
            held_out=self.held_out[kept],
            folds=self.folds[kept],
        )


def cells_of(column: str, counted: pl.DataFrame) -> Cells:
    """Bring one column's tally into arrays.

    Args:
        column: test column.
        counted: rows of `tally` for this column.
    """
    organisms = tuple(sorted(counted["organism"].unique().to_list()))
    merged = (
        counted.with_columns(
            pl.when(pl.col("part") == 0).then(pl.col("weight")).otherwise(0.0).alias("held_out"),
            *(_in_fold(fold).alias(f"fold {fold}") for fold in range(FOLDS)),
        )
        .group_by("organism", "mic_code", "level")
        .agg(pl.col("weight", "held_out", "^fold .*$").sum())
        .sort("organism", "mic_code", "level")
    )
    position = {code: row for row, code in enumerate(organisms)}
    return Cells(
        column=column,
        organisms=organisms,
        names=_level_names(organisms, counted),
        organism=np.array([position[code] for code in merged["organism"]], dtype=np.int32),
        mic_code=merged["mic_code"].to_numpy().astype(np.int16),
        level=merged["level"].to_numpy().astype(np.int8),
        weight=merged["weight"].to_numpy().astype(np.float64),
        held_out=merged["held_out"].to_numpy().astype(np.float64),
        folds=merged.select("^fold .*$").to_numpy().astype(np.float64),
    )


def _in_fold(fold: int) -> pl.Expr:
    part = pl.col("part")
    return pl.when((part % FOLDS == fold) & (part != REFERENCE_PART)).then(pl.col("weight")).otherwise(0.0)


_LEVEL_OF: Final = {label.value: label.level for label in LABELS}


def _level_names(organisms: tuple[str, ...], counted: pl.DataFrame) -> NDArray[np.str_]:
    """Name each level of each organism as most of its own labels do; where it has none, as most of the drug's do.

    So an answer is SDD or NS where the evidence says so.
    """
    totals: dict[tuple[str | None, int], dict[str, float]] = {}
    sums = counted.group_by("organism", "level", "label").agg(pl.col("weight").sum()).sort("organism", "level", "label")
    for organism, level, label, weight in sums.iter_rows():
        totals.setdefault((organism, level), {})[label] = weight
        if label != Category.NI:
            usual = totals.setdefault((None, level), {})
            usual[label] = usual.get(label, 0.0) + weight

    def named(organism: str | None, level: int, default: str) -> str:
        found = totals.get((organism, level), {})
        return max(found, key=lambda label: (found[label], label == default), default=default)

    common = [named(None, level, _DEFAULT_NAMES[level].value) for level in range(LEVELS)]
    rows = [[named(organism, level, common[level]) for level in range(LEVELS)] for organism in organisms]
    return np.array(rows, dtype=np.str_).reshape(len(organisms), LEVELS)
