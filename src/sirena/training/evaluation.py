"""Agreement of answers with a laboratory's labels.

Categories are compared as S, I, R: SDD counts as I and NS as R. A result without a category (NI) lowers the share of
answered results and not the agreement. A very major error is an S for a label R, over labels R; a major error an
R for a label S, over labels S; a minor error has I on one side. Intervals are Wilson's, 95 %.

Source of the terms: CLSI M52, ISO 20776-2 (their rates per category).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from scipy.stats import binomtest

from sirena.domain.category import LABELS
from sirena.domain.mic import CODES
from sirena.domain.site import Site
from sirena.domain.truth_table import ANSWERS, TruthTable
from sirena.training.cells import LEVELS

CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class WilsonRate:
    """A share of cases with its 95 % confidence interval."""

    cases: int
    total: int

    @property
    def share(self) -> float:
        """Cases over total; NaN if the total is zero."""
        return self.cases / self.total if self.total else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % confidence interval; 0 to 1 if the total is zero."""
        if not self.total:
            return 0.0, 1.0
        bounds = binomtest(self.cases, self.total).proportion_ci(CONFIDENCE, method="wilson")
        return float(bounds.low), float(bounds.high)

    def __str__(self) -> str:
        """Return ``12 of 345 (3.48 %, 2.00-5.98)``."""
        low, high = self.interval
        return f"{self.cases} of {self.total} ({self.share:.2%}, {low:.2%}-{high:.2%})"

    def to_json(self) -> dict[str, Any]:
        """Return the rate as plain JSON values."""
        return {
            "cases": self.cases,
            "total": self.total,
            "share": self.share if self.total else None,
            "interval_95": list(self.interval),
        }


@dataclass(frozen=True)
class AgreementCounts:
    """Number of results by label and by answer."""

    labelled_results: int
    """Number of results with a label."""
    confusion: tuple[tuple[int, ...], ...]
    """Number of answered results by level of the label, then level of the answer (S; I or SDD; R or NS)."""

    @property
    def answered_rate(self) -> WilsonRate:
        """Share of labelled results that were answered."""
        return WilsonRate(sum(map(sum, self.confusion)), self.labelled_results)

    @property
    def categorical_agreement(self) -> WilsonRate:
        """Categorical agreement (CA): share of answered results at the label's level."""
        return WilsonRate(sum(self.confusion[level][level] for level in range(LEVELS)), self.answered_rate.cases)

    @property
    def very_major_errors(self) -> WilsonRate:
        """Very major errors (VME): share of results labelled R that were answered S."""
        return WilsonRate(self.confusion[2][0], sum(self.confusion[2]))

    @property
    def major_errors(self) -> WilsonRate:
        """Major errors (ME): share of results labelled S that were answered R."""
        return WilsonRate(self.confusion[0][2], sum(self.confusion[0]))

    @property
    def minor_errors(self) -> WilsonRate:
        """Minor errors (mE): share of answered results with I on one side only."""
        return WilsonRate(
            self.confusion[0][1] + self.confusion[1][0] + self.confusion[1][2] + self.confusion[2][1],
            self.answered_rate.cases,
        )

    def to_json(self) -> dict[str, Any]:
        """Return counts and rates as plain JSON values."""
        return {
            "labelled": self.labelled_results,
            "confusion": [list(row) for row in self.confusion],
            "answered": self.answered_rate.to_json(),
            "ca": self.categorical_agreement.to_json(),
            "vme": self.very_major_errors.to_json(),
            "me": self.major_errors.to_json(),
            "minor": self.minor_errors.to_json(),
        }


@dataclass(frozen=True)
class Evaluation:
    """Agreement over all results, by test column and by organism."""

    pooled_counts: AgreementCounts
    by_column: dict[str, AgreementCounts]
    by_organism: dict[str, AgreementCounts]

    def to_json(self) -> dict[str, Any]:
        """Return the agreement as plain JSON values."""
        return {
            "compared_as": "S, I (with SDD), R (with NS)",
            "pooled": self.pooled_counts.to_json(),
            "by_column": {name: counts.to_json() for name, counts in self.by_column.items()},
            "by_organism": {name: counts.to_json() for name, counts in self.by_organism.items()},
        }


def answered_cells(tables: Mapping[str, TruthTable], rows: pl.DataFrame) -> pl.DataFrame:
    """Return the number of labelled results by label and answer.

    Args:
        tables: truth table by test column; a column without a table is not answered.
        rows: labelled results, as in `evidence.Evidence.rows`, of isolates that no table was learnt from.

    Returns:
        Columns column, organism, site, mic_code, label, results, level (of the label), answer (position in
        ``ANSWERS``), answer_level (null for NI).

    >>> from sirena.training.evidence import ROW_TYPES
    >>> result = {"isolate": 0, "organism": "eco", "site": "blood", "column": "AMK_NM", "mic_code": 16, "label": "R"}
    >>> table = TruthTable("AMK_NM", ("eco",), np.ones((1, CODES), dtype=np.uint8))  # S at any MIC
    >>> cells = answered_cells({"AMK_NM": table}, pl.DataFrame([result], schema=ROW_TYPES))
    >>> cells.select("label", "level", "results", "answer_level").row(0)
    ('R', 2, 1, 0)
    """
    cells = (
        rows.group_by("column", "organism", "site", "mic_code", "label")
        .agg(pl.len().alias("results"))
        .with_columns(pl.col("column", "organism", "site").cast(pl.String))
        .sort("column", "organism", "site", "mic_code", "label")
    )
    parts = []
    for (column,), part in cells.partition_by("column", as_dict=True, maintain_order=True).items():
        table = tables.get(column) or TruthTable(column, (), np.empty((0, CODES), dtype=np.uint8))
        answers = np.concatenate(
            [
                table.look_up([organism], group["mic_code"].to_numpy(), Site(site))[0]
                for (organism, site), group in part.partition_by(
                    "organism", "site", as_dict=True, maintain_order=True
                ).items()
            ]
        )
        parts.append(part.with_columns(pl.Series("answer", answers)))
    answered_rows = pl.concat(parts) if parts else cells.with_columns(pl.lit(0, dtype=pl.UInt8).alias("answer"))
    return answered_rows.with_columns(
        pl.col("label").cast(pl.String).replace_strict(_LEVEL_OF_LABEL, return_dtype=pl.Int8).alias("level"),
        pl.col("answer").replace_strict(_LEVEL_OF_ANSWER, default=None, return_dtype=pl.Int8).alias("answer_level"),
    )


def evaluate(tables: Mapping[str, TruthTable], rows: pl.DataFrame) -> Evaluation:
    """Return how far truth tables agree with labelled results that they were not learnt from (see `answered_cells`).

    >>> from sirena.training.evidence import ROW_TYPES
    >>> result = {"isolate": 0, "organism": "eco", "site": "blood", "column": "AMK_NM", "mic_code": 16, "label": "R"}
    >>> table = TruthTable("AMK_NM", ("eco",), np.ones((1, CODES), dtype=np.uint8))  # S at any MIC
    >>> str(evaluate({"AMK_NM": table}, pl.DataFrame([result], schema=ROW_TYPES)).pooled_counts.very_major_errors)
    '1 of 1 (100.00%, 20.65%-100.00%)'
    """
    return summarise([answered_cells(tables, rows)])


def summarise(parts: Iterable[pl.DataFrame]) -> Evaluation:
    """Return the agreement over several frames from `answered_cells`, such as one per fold of a cross-validation.

    >>> from sirena.training.evidence import ROW_TYPES
    >>> result = {"isolate": 0, "organism": "eco", "site": "blood", "column": "AMK_NM", "mic_code": 16, "label": "R"}
    >>> table = TruthTable("AMK_NM", ("eco",), np.ones((1, CODES), dtype=np.uint8))  # S at any MIC
    >>> fold = answered_cells({"AMK_NM": table}, pl.DataFrame([result], schema=ROW_TYPES))
    >>> summarise([fold, fold]).by_organism["eco"].labelled_results
    2
    """
    cells = pl.concat(parts)
    return Evaluation(
        pooled_counts=_counts(cells),
        by_column=_counts_by(cells, "column"),
        by_organism=_counts_by(cells, "organism"),
    )


_LEVEL_OF_LABEL: Final = {label.value: label.level for label in LABELS}
_LEVEL_OF_ANSWER: Final = {
    code: answer.category.level
    for code, answer in enumerate(ANSWERS)
    if answer is not None and answer.category.level is not None
}


def _counts_by(cells: pl.DataFrame, name: str) -> dict[str, AgreementCounts]:
    groups = cells.partition_by(name, as_dict=True)
    return {key: _counts(groups[(key,)]) for key in sorted(group for (group,) in groups)}


def _counts(cells: pl.DataFrame) -> AgreementCounts:
    answered_rows = cells.filter(pl.col("answer_level").is_not_null())
    confusion = np.zeros((LEVELS, LEVELS), dtype=np.int64)
    np.add.at(
        confusion,
        (answered_rows["level"].to_numpy(), answered_rows["answer_level"].to_numpy()),
        answered_rows["results"].to_numpy().astype(np.int64),
    )
    return AgreementCounts(int(cells["results"].sum()), tuple(tuple(int(n) for n in row) for row in confusion))
