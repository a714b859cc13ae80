"""Weighted cells: equal labelled results, counted once with a weight.

Rows that share (organism, body site, MIC, label) are one cell with a weight. The loss of a network is a sum over rows,
so the sum over cells, each times its weight, is the same number with the same gradient; its cost depends on the variety
of a file (a few hundred cells per drug) and not on its length.

Isolates are assigned to `PARTS` parts before counting, so that all results of an isolate are held out together.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.domain.category import LABELS, Category, Reason
from sirena.domain.mic import CODES, Mic
from sirena.domain.site import Site
from sirena.domain.truth_table import TruthTable, key_of

PARTS: Final = 20
"""Number of parts that the isolates are divided into; one part is 5 % of the isolates."""
FOLDS: Final = 5
"""Number of folds of a cross-validation; a fold is every fifth part."""
LEVELS: Final = 3
"""Ordinal levels of a label: S=0, I and SDD=1, R and NS=2 (`Category.level`)."""

REFUSALS: Final = {
    f"{Category.NI.value}:{reason.value}": reason
    for reason in (
        *(Reason.NO_BREAKPOINT, Reason.INSUFFICIENT_EVIDENCE, Reason.NOTE, Reason.NOT_APPLICABLE),
        *(Reason.BRACKETED, Reason.OTHER_SITE),
    )
}
"""Names of levels without a category, with the reason that the guideline gives: ``NI:bracketed``."""
LABEL_TYPE: Final = pl.Enum([*(label.value for label in LABELS), *REFUSALS])
"""Column type of labels in every frame of evidence. Refusals occur only in the grid of a reference."""
SITE_TYPE: Final = pl.Enum([site.value for site in Site])
"""Column type of sites in every frame of evidence."""
LEVEL_OF_LABEL: Final = {label.value: label.level for label in LABELS}
"""Ordinal level of each label, by the label's text."""
MIC_OF_CODE: Final = {code: str(Mic.from_code(code)) for code in range(CODES)}
"""Text of each MIC, by its code."""
REFERENCE_PART: Final = 255
"""Part number of cells that come from a reference's grid: these are no isolates, so they are never held out."""
_WORD: Final = 2**32
_DEFAULT_NAMES: Final = (Category.S, Category.I, Category.R)


def part_of_isolate(isolate: pl.Expr, seed: int) -> pl.Expr:
    """Return the part that each isolate is assigned to, by a fixed arithmetic hash (a library's hash could change).

    Args:
        isolate: UInt32 number of the isolate.
        seed: seed of the division; another seed gives other parts.

    >>> isolates = pl.Series("isolate", [0, 1, 2], dtype=pl.UInt32).to_frame()
    >>> isolates.select(part_of_isolate(pl.col("isolate"), seed=0)).to_series().to_list()
    [0, 15, 12]
    """
    mixed = (isolate.cast(pl.UInt64) + seed * 2_654_435_769) % _WORD
    for _ in range(2):
        mixed = (mixed ^ (mixed // 65_536)) * 73_244_475 % _WORD
    return ((mixed ^ (mixed // 65_536)) % PARTS).cast(pl.UInt8)


def mic_text() -> pl.Expr:
    """Return an expression for the column ``mic``, with the texts of the codes in ``mic_code``.

    >>> pl.DataFrame({"mic_code": pl.Series([16], dtype=pl.Int16)}).select(mic_text()).item()
    '4'
    """
    return pl.col("mic_code").replace_strict(MIC_OF_CODE, return_dtype=pl.String).alias("mic")


def tally(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return the cells of labelled results: equal results counted together.

    Args:
        rows: evidence, one row per labelled result (see `evidence.Evidence.rows`).
        seed: seed that decides which part each isolate is assigned to.

    Returns:
        Columns column, organism, site, mic_code, label, level, part, weight, sorted, one row per cell and part.

    >>> from sirena.training.evidence import ROW_TYPES
    >>> result = {"isolate": 0, "organism": "eco", "site": "blood", "column": "AMK_NM", "mic_code": 16, "label": "S"}
    >>> rows = pl.DataFrame([result | {"isolate": isolate} for isolate in (0, 1)], schema=ROW_TYPES)
    >>> tally(rows, seed=0).select("organism", "mic_code", "label", "part", "weight").rows()
    [('eco', 16, 'S', 0, 1.0), ('eco', 16, 'S', 15, 1.0)]
    """
    keys = ["column", "organism", "site", "mic_code", "label", "level", "part"]
    return (
        rows.lazy()
        .with_columns(
            part_of_isolate(pl.col("isolate"), seed).alias("part"),
            pl.col("label").replace_strict(LEVEL_OF_LABEL, return_dtype=pl.Int8).alias("level"),
        )
        .group_by(keys)
        .agg(pl.len().cast(pl.Float64).alias("weight"))
        .with_columns(pl.col("column", "organism", "site").cast(pl.String))
        .sort(keys)
        .collect()
    )


@dataclass(frozen=True)
class Cells:
    """The evidence for one antimicrobial, as arrays with one entry per cell."""

    column: str
    """Test column, ``AMK_NM``."""
    keys: tuple[str, ...]
    """Organism codes, with a site if the site matters (`truth_table.key_of`), that the cells belong to; sorted."""
    names: NDArray[np.str_]
    """Name of each level for each key, as most of the key's labels have it; shape (keys, LEVELS)."""
    key: NDArray[np.int32]
    """Position of each cell's key in `keys`."""
    mic_code: NDArray[np.int16]
    """MIC code of each cell, 0 … CODES-1 (`domain.mic`)."""
    level: NDArray[np.int8]
    """Ordinal level of each cell's label."""
    weight: NDArray[np.float64]
    """Number of results in each cell, of all isolates."""
    held_out: NDArray[np.float64]
    """Number of results in each cell from the held-out isolates (part 0); included in `weight`."""
    folds: NDArray[np.float64]
    """Number of results in each cell by the isolates' fold, shape (cells, FOLDS); a reference's cells are in none."""

    @property
    def results(self) -> int:
        """Number of labelled results behind the cells."""
        return int(self.weight.sum())

    def level_counts(self) -> list[int]:
        """Return the number of results at each level (S, I, R), except results without a category of the guideline."""
        has_category = ~np.isin(self.names[self.key, self.level], list(REFUSALS))
        return [int(self.weight[has_category & (self.level == level)].sum()) for level in range(LEVELS)]

    def digest(self) -> str:
        """Return the SHA-256 of everything that training learns from: keys, level names and every weighted cell."""
        digest = hashlib.sha256("\n".join((self.column, *self.keys, *self.names.ravel())).encode())
        for array in (self.key, self.mic_code, self.level, self.weight, self.held_out, self.folds):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def of_tested_organisms(self) -> "Cells":
        """Return a copy of the cells without the keys for which no isolate has a label."""
        is_tested = np.bincount(self.key, weights=self.folds.sum(axis=1), minlength=len(self.keys)) > 0
        is_kept = is_tested[self.key]
        return Cells(
            column=self.column,
            keys=tuple(key for key, has_label in zip(self.keys, is_tested, strict=True) if has_label),
            names=self.names[is_tested],
            key=(np.cumsum(is_tested) - 1)[self.key[is_kept]].astype(np.int32),
            mic_code=self.mic_code[is_kept],
            level=self.level[is_kept],
            weight=self.weight[is_kept],
            held_out=self.held_out[is_kept],
            folds=self.folds[is_kept],
        )


def cells_of(column: str, tally_rows: pl.DataFrame) -> Cells:
    """Return the tally of one test column as `Cells`.

    Args:
        column: test column.
        tally_rows: rows of `tally` for this column, with a key instead of organism and body site (`with_keys`).

    >>> cell = {"column": "AMK_NM", "key": "eco", "mic_code": 16, "label": "S", "level": 0, "part": 0, "weight": 3.0}
    >>> cells = cells_of("AMK_NM", pl.DataFrame([cell, cell | {"part": 1}]))
    >>> cells.keys, cells.weight.tolist(), cells.held_out.tolist()
    (('eco',), [6.0], [3.0])
    """
    keys = tuple(sorted(tally_rows["key"].unique().to_list()))
    cells = (
        tally_rows.with_columns(
            pl.when(pl.col("part") == 0).then(pl.col("weight")).otherwise(0.0).alias("held_out"),
            *(_in_fold(fold).alias(f"fold {fold}") for fold in range(FOLDS)),
        )
        .group_by("key", "mic_code", "level")
        .agg(pl.col("weight", "held_out", "^fold .*$").sum())
        .sort("key", "mic_code", "level")
    )
    position = {key: row for row, key in enumerate(keys)}
    return Cells(
        column=column,
        keys=keys,
        names=_level_names(keys, tally_rows),
        key=np.array([position[key] for key in cells["key"]], dtype=np.int32),
        mic_code=cells["mic_code"].to_numpy().astype(np.int16),
        level=cells["level"].to_numpy().astype(np.int8),
        weight=cells["weight"].to_numpy().astype(np.float64),
        held_out=cells["held_out"].to_numpy().astype(np.float64),
        folds=cells.select("^fold .*$").to_numpy().astype(np.float64),
    )


def with_keys(tally_rows: pl.DataFrame, reference: TruthTable | None) -> pl.DataFrame:
    """Replace organism and body site in a tally by a key, which includes the site only if the reference separates it.

    Args:
        tally_rows: rows of `tally` for one column.
        reference: the guideline's truth table for the column; None joins all body sites of an organism.

    >>> reference = TruthTable("PEN_NM", ("spn", "spn@csf"), np.ones((2, CODES), dtype=np.uint8))
    >>> rows = pl.DataFrame({"organism": ["spn", "spn"], "site": ["blood", "csf"], "weight": [2.0, 1.0]})
    >>> sorted(with_keys(rows, reference).rows()), sorted(with_keys(rows, None).rows())
    ([(1.0, 'spn@csf'), (2.0, 'spn')], [(1.0, 'spn'), (2.0, 'spn')])
    """
    pairs = tally_rows.select("organism", "site").unique().sort("organism", "site")
    keys = [_key(organism, Site(site), reference) for organism, site in pairs.iter_rows()]
    return tally_rows.join(pairs.with_columns(pl.Series("key", keys, dtype=pl.String)), on=["organism", "site"]).drop(
        "organism", "site"
    )


def _key(organism: str, site: Site, reference: TruthTable | None) -> str:
    if reference is None or organism not in reference.vocabulary:
        return organism
    own = key_of(organism, site)
    # a site for which the guideline has no row stays apart: its labels say nothing of other sites
    return own if own in reference.row_of or organism not in reference.row_of else organism


def _in_fold(fold: int) -> pl.Expr:
    part = pl.col("part")
    return pl.when((part % FOLDS == fold) & (part != REFERENCE_PART)).then(pl.col("weight")).otherwise(0.0)


def _level_names(keys: tuple[str, ...], tally_rows: pl.DataFrame) -> NDArray[np.str_]:
    """Return the name of each level for each key: the commonest among its labels, or else among the drug's.

    So an answer is SDD or NS if the evidence says so.
    """
    totals: dict[tuple[str | None, int], dict[str, float]] = {}
    sums = tally_rows.group_by("key", "level", "label").agg(pl.col("weight").sum()).sort("key", "level", "label")
    for key, level, label, weight in sums.iter_rows():
        totals.setdefault((key, level), {})[label] = weight
        if label not in REFUSALS:
            usual = totals.setdefault((None, level), {})
            usual[label] = usual.get(label, 0.0) + weight

    def commonest(key: str | None, level: int, default: str) -> str:
        weights = totals.get((key, level), {})
        return max(weights, key=lambda label: (weights[label], label == default), default=default)

    common = [commonest(None, level, _DEFAULT_NAMES[level].value) for level in range(LEVELS)]
    rows = [[commonest(key, level, common[level]) for level in range(LEVELS)] for key in keys]
    return np.array(rows, dtype=np.str_).reshape(len(keys), LEVELS)
