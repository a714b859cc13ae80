"""The label audit: cells whose labels contradict one another, the order of MICs, or the reference.

A person must judge which is right: a laboratory may have used another edition, mistyped, or reported a resistance
mechanism that the MIC does not show. The audit says where to look, the gravest first.

Rules, each with a test of like name:

- *same_mic*: for the same organism, drug, site and MIC, labels of another level are as numerous or more so;
- *mic_order*: results of a lower level at certainly higher MICs, or of a higher level at certainly lower ones, are as
  numerous as the cell's own or more so; intervals that overlap (``<=4`` and 2) are not ordered;
- *reference*: the guideline edition gives another category;
- S against R comes before contradictions with I; then the cells are ordered by number of findings, then of results.
"""

import enum
from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.domain.language import Language
from sirena.domain.mic import DILUTIONS, Interval
from sirena.domain.organisms import ORGANISMS
from sirena.domain.site import Site
from sirena.domain.truth_table import ANSWERS, TruthTable
from sirena.training.cells import LEVEL_OF_LABEL, LEVELS, mic_text, tally
from sirena.training.evidence import Evidence


class LabelFinding(enum.StrEnum):
    """What a label contradicts. The audit's column ``findings`` holds the value."""

    SAME_MIC = "same_mic"
    MIC_ORDER = "mic_order"
    REFERENCE = "reference"


WORDS: Final = {
    Language.ENGLISH: {
        LabelFinding.SAME_MIC: "at the same MIC another label is as common or more so",
        LabelFinding.MIC_ORDER: "lower MICs have a higher category, or higher MICs a lower one",
        LabelFinding.REFERENCE: "the edition decides otherwise",
    },
    Language.SPANISH: {
        LabelFinding.SAME_MIC: "con la misma CIM otra etiqueta es igual de frecuente o más",
        LabelFinding.MIC_ORDER: "hay CIM menores con categoría mayor, o CIM mayores con categoría menor",
        LabelFinding.REFERENCE: "la edición decide otra cosa",
    },
}
"""Each finding in words."""


class Severity(enum.StrEnum):
    """How far a label is from what it contradicts; members are in order, gravest first."""

    S_AGAINST_R = "S against R"
    MINOR = "one level"


AUDIT_COLUMNS: Final = pl.Schema(
    {
        "rank": pl.UInt32,
        "column": pl.String,
        "organism": pl.String,
        "organism_name": pl.String,
        "site": pl.String,
        "mic": pl.String,
        "label": pl.String,
        "results": pl.Int64,
        "severity": pl.String,
        "findings": pl.String,
        "other_label": pl.String,
        "other_results": pl.Int64,
        "order_conflicts": pl.Int64,
        "reference": pl.String,
    }
)
"""Columns of an audit: rank from 1; the cell (test column, organism, site, MIC, label) and its number of results;
the severity; the findings, joined by ``+``; the commonest label of another level at the same MIC with its number
of results; the number of results in the wrong order to it; the reference's category.
"""


def audit_labels(evidence: Evidence, reference: Mapping[str, TruthTable] | None = None) -> pl.DataFrame:
    """Return the cells (rows of equal input) whose labels contradict one another, the MIC order or the reference.

    Args:
        evidence: the laboratory's labels (`LabelSource.FILE`).
        reference: truth tables of guideline editions by test column; None for no comparison with a reference.

    Returns:
        One row per contradicting label of a cell, with `AUDIT_COLUMNS`, the gravest first. No isolate's number is in
        it.

    >>> from sirena.training.evidence import ROW_TYPES, LabelSource
    >>> result = {"isolate": 0, "organism": "eco", "site": "blood", "column": "AMK_NM", "mic_code": 16, "label": "S"}
    >>> rows = pl.DataFrame([result, result | {"isolate": 1, "label": "R"}], schema=ROW_TYPES)
    >>> audit_labels(Evidence(rows, LabelSource.FILE)).select("mic", "label", "severity", "findings").rows()
    [('4', 'R', 'S against R', 'same_mic'), ('4', 'S', 'S against R', 'same_mic')]
    """
    return audit_counts(tally(evidence.rows, seed=0), reference)


def audit_counts(tally_rows: pl.DataFrame, reference: Mapping[str, TruthTable] | None = None) -> pl.DataFrame:
    """Return the same as `audit_labels`, from counted evidence.

    Args:
        tally_rows: the cells, as `cells.tally` returns them.
        reference: truth tables of guideline editions by test column; None for no comparison with a reference.

    >>> cell = {"column": "AMK_NM", "organism": "eco", "site": "blood", "mic_code": 16, "label": "S", "weight": 9.0}
    >>> audit = audit_counts(pl.DataFrame([cell, cell | {"label": "R", "weight": 1.0}]))
    >>> audit.select("label", "results", "other_label", "other_results").rows()
    [('R', 1, 'S', 9)]
    """
    cells = (
        tally_rows.group_by("column", "organism", "site", "mic_code", "label")
        .agg(pl.col("weight").sum().cast(pl.Int64).alias("results"))
        .with_columns(pl.col("label").cast(pl.String))
        .sort("column", "organism", "site", "mic_code", "label")
    )
    tables = reference or {}
    audits = [
        _audit(group, tables.get(column))
        for (column, *_), group in cells.partition_by(
            "column", "organism", "site", as_dict=True, maintain_order=True
        ).items()
    ]
    if not audits:
        return AUDIT_COLUMNS.to_frame()
    severity = (
        pl.when(pl.col("distance") == LEVELS - 1).then(pl.lit(Severity.S_AGAINST_R)).otherwise(pl.lit(Severity.MINOR))
    )
    organisms = cells["organism"].unique().to_list()
    return (
        pl.concat(audits)
        .filter(pl.col("findings") != "")
        .with_columns(
            severity.alias("severity"),
            mic_text(),
            pl.col("organism")
            .replace_strict(organisms, [ORGANISMS[code].name if code in ORGANISMS else "" for code in organisms])
            .alias("organism_name"),
        )
        .sort(
            "distance",
            pl.col("findings").str.count_matches("+", literal=True),
            "results",
            *("column", "organism", "site", "mic_code", "label"),
            descending=[True, True, True, False, False, False, False, False],
        )
        .with_row_index("rank", offset=1)
        .select(AUDIT_COLUMNS.names())
        .cast(AUDIT_COLUMNS)
    )


def describe_findings(findings: pl.Series, language: Language) -> pl.Series:
    """Return what each label contradicts, in words.

    Args:
        findings: column ``findings`` of an audit.
        language: language of the words.

    >>> describe_findings(pl.Series(["same_mic+reference"]), Language.ENGLISH).item()
    'at the same MIC another label is as common or more so; the edition decides otherwise'
    """
    words = WORDS[language]
    distinct = findings.unique().to_list()
    sentences = ["; ".join(words[LabelFinding(name)] for name in text.split("+")) for text in distinct]
    return findings.replace_strict(distinct, sentences, return_dtype=pl.String)


def _audit(group: pl.DataFrame, table: TruthTable | None) -> pl.DataFrame:
    """Return the cells of one organism and drug with what contradicts each: other cells or the reference."""
    code = group["mic_code"].to_numpy().astype(np.int64)
    labels = group["label"].to_list()
    level = np.array([LEVEL_OF_LABEL[label] for label in labels])
    results = group["results"].to_numpy()
    is_same_mic = code[:, None] == code[None]
    at_level = np.zeros((len(code), LEVELS), dtype=np.int64)
    for number in range(LEVELS):
        at_level[:, number] = is_same_mic @ np.where(level == number, results, 0)
    own = at_level[np.arange(len(code)), level]
    results_elsewhere = np.where(np.arange(LEVELS)[None] == level[:, None], -1, at_level)
    other_level, at_other = results_elsewhere.argmax(axis=1), results_elsewhere.max(axis=1)
    is_contradicted = at_other >= own
    other_row = np.where(is_same_mic & (level[None] == other_level[:, None]), results[None], 0).argmax(axis=1)
    conflicting_results, conflicting_level = _order_conflicts(code, level, results)
    is_disordered = (conflicting_results >= results) & (conflicting_results > 0)
    reference_categories = _reference_categories(table, group["organism"][0], Site(group["site"][0]), code)
    reference_level = np.array(
        [LEVEL_OF_LABEL.get(category, -1) if category else -1 for category in reference_categories]
    )
    is_different = (reference_level >= 0) & (reference_level != level)
    distance = np.maximum.reduce(
        [
            np.where(is_contradicted, np.abs(other_level - level), 0),
            np.where(is_disordered, np.abs(conflicting_level - level), 0),
            np.where(is_different, np.abs(reference_level - level), 0),
        ]
    )
    other_label = [labels[row] if number > 0 else None for row, number in zip(other_row, at_other, strict=True)]
    flags = np.stack([is_contradicted, is_disordered, is_different], axis=1)
    findings = ["+".join(name for name, flag in zip(LabelFinding, row, strict=True) if flag) for row in flags]
    return group.with_columns(
        pl.Series("findings", findings, dtype=pl.String),
        pl.Series("distance", distance.astype(np.int64)),
        pl.Series("other_label", other_label, dtype=pl.String),
        pl.Series("other_results", at_other),
        pl.Series("order_conflicts", conflicting_results.astype(np.int64)),
        pl.Series("reference", reference_categories, dtype=pl.String),
    )


def _order_conflicts(
    code: NDArray[np.int64], level: NDArray[np.int64], results: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each cell the number of results in the wrong order to it, and the level furthest from its own.

    Cell a is certainly below cell b if a's highest possible MIC is below b's lowest.
    """
    interval, position = np.divmod(code, DILUTIONS)
    highest = np.where(interval == Interval.AT_LEAST, DILUTIONS, position)
    lowest = np.where(interval == Interval.AT_MOST, -1, position)
    below = highest[:, None] < lowest[None]
    higher = level[:, None] > level[None]
    conflict = (below & higher) | (below.T & higher.T)
    reach = np.where(conflict, np.abs(level[:, None] - level[None]), 0)
    return conflict @ results, level[reach.argmax(axis=1)]


def _reference_categories(
    table: TruthTable | None, organism: str, site: Site, code: NDArray[np.int64]
) -> list[str | None]:
    """Return the reference's category for each MIC; None if it gives none."""
    if table is None:
        return [None] * len(code)
    answers = table.look_up([organism], code.astype(np.int16), site)[0]
    reference_answers = [ANSWERS[answer] for answer in answers]
    return [
        answer.category.value if answer is not None and answer.reason is None else None for answer in reference_answers
    ]
