"""Evidence: the labelled results that a training learns from, one per row.

Labels come from the laboratory (the file's ``Eti_`` columns), from a guideline edition (its compiled truth tables), or
from both: the edition for organisms that it covers, the laboratory for the others. Nothing that identifies a patient is
read: an isolate is its row number, and only organism, specimen, MIC and category cells are looked at.

Each distinct text is interpreted once and each distinct cell counted once, so the cost depends on the variety of a
file's texts.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
import polars as pl

from sirena.domain.category import LABELS, read_label
from sirena.domain.errors import UsageError
from sirena.domain.mic import DILUTIONS, MISSING, encode_mics
from sirena.domain.notation import label_beside
from sirena.domain.organisms import ORGANISMS, resolve_many
from sirena.domain.site import Site
from sirena.domain.specimens import site_of_specimen
from sirena.domain.truth_table import ANSWERS, Answer, TruthTable
from sirena.training.cells import LABEL_TYPE, REFERENCE_PART, SITE_TYPE, tally
from sirena.whonet.file import WhonetFile


class LabelSource(enum.StrEnum):
    """The source of a result's label. The value is the word that the command's option takes."""

    FILE = "file"
    """The laboratory's own ``Eti_`` columns."""
    REFERENCE = "reference"
    """A guideline edition, for all organisms it has a breakpoint for."""
    BOTH = "both"
    """The edition for every organism it states something about; the laboratory for the others."""


ROW_TYPES: Final = pl.Schema(
    {
        "isolate": pl.UInt32(),
        "organism": pl.Enum(sorted(ORGANISMS)),
        "site": SITE_TYPE,
        "column": pl.Categorical(),
        "mic_code": pl.Int16(),
        "label": LABEL_TYPE,
    }
)
"""Columns and types of `Evidence.rows`; words are stored as numbers, since a large file has millions of rows."""


class Countable(Protocol):
    """Labelled results that can be counted into cells; a training needs no more than that."""

    @property
    def label_source(self) -> LabelSource:
        """The source of the labels."""

    @property
    def reference(self) -> Mapping[str, TruthTable]:
        """The guideline's truth tables by test column; empty if no guideline was given."""

    def weighted_cells(self, seed: int) -> pl.DataFrame:
        """Return the weighted cells (`cells.tally`), with the isolates divided into parts by a seed."""


@dataclass(frozen=True)
class Evidence:
    """Labelled results, and the guideline's truth tables if there are any."""

    rows: pl.DataFrame
    """One row per labelled result: isolate (row number in the file), organism (WHONET code), site (`Site`),
    column (``AMK_NM``), mic_code (0 … CODES-1), label (S, SDD, I, R, NS).
    """
    label_source: LabelSource
    reference: Mapping[str, TruthTable] = field(default_factory=dict)
    """The guideline's truth tables by test column; empty if no guideline was given."""

    def of_isolates(self, isolates: pl.Series) -> "Evidence":
        """Return the evidence of some isolates only, to train on them and evaluate on the others.

        Args:
            isolates: isolate numbers, UInt32, as in the column ``isolate``.
        """
        rows = self.rows.join(isolates.unique().to_frame("isolate").cast(pl.UInt32), on="isolate", how="semi")
        return Evidence(rows, self.label_source, self.reference)

    def weighted_cells(self, seed: int) -> pl.DataFrame:
        """Return the rows as weighted cells (`cells.tally`), with the isolates divided into parts by a seed."""
        return tally(self.rows, seed)


def collect_evidence(
    file: WhonetFile, *, labels: LabelSource, reference: Mapping[str, TruthTable] | None = None, first_isolate: int = 0
) -> Evidence:
    r"""Return the labelled results of a file.

    Args:
        file: the file.
        labels: source of the labels.
        reference: truth tables of guideline editions, by test column.
        first_isolate: number of the file's first isolate, if the file is a part of a longer one.

    Raises:
        NoOrganismColumnError: no column of the file names the organism.
        UsageError: the labels are to come from a reference, and no reference was given.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from sirena.whonet.reading import read_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "hospital.csv")
    ...     _ = path.write_text("ORGANISM,AMK_NM,Eti_AMK_NM\neco,4,S\nkpn,64,R\nsau,2,\n")
    ...     evidence = collect_evidence(read_file(path), labels=LabelSource.FILE)
    >>> evidence.rows.select("isolate", "organism", "mic_code", "label").rows()
    [(0, 'eco', 16, 'S'), (1, 'kpn', 20, 'R')]
    """
    tables = dict(reference or {})
    if labels is not LabelSource.FILE and not tables:
        raise UsageError("labels from a reference need a guideline edition", hint='Give for example "CLSI 2026".')
    organism = _resolved(file, file.require_organism())
    site = _sites(file)
    parts = [ROW_TYPES.to_frame()]
    for header, test in file.mic_columns.items():
        results = pl.DataFrame(
            {
                "organism": organism,
                "site": site,
                "column": pl.repeat(test.model_column, len(organism), dtype=pl.String, eager=True),
                "mic_code": _codes(file, header),
                "label": _written_labels(file, header, labels),
            }
        ).with_row_index("isolate", first_isolate)
        results = results.filter((pl.col("mic_code") >= 0) & pl.col("organism").is_not_null())
        parts.append(results.filter(pl.col("label").is_not_null()).cast(ROW_TYPES).select(ROW_TYPES.names()))
    return Evidence(pl.concat(parts), labels, tables)


def reference_grid(table: TruthTable) -> pl.DataFrame:
    """Return a whole truth table as evidence: every key with every exact MIC, once each.

    Censored MICs are left out: a guideline's answers to them follow from the exact ones, as the network's do. If a row
    gives no category, the refusal with its reason is a level of its own.

    Returns:
        A frame with the columns of `cells.with_keys`.

    >>> from sirena.guidelines.editions import load_edition
    >>> from sirena.guidelines.interpreter import compile_tables
    >>> table = compile_tables(load_edition("CLSI 2026"), ["SPT"])["SPT"]
    >>> reference_grid(table).group_by("key", "label", maintain_order=True).len().rows()
    [('ngo', 'S', 20), ('ngo', 'I', 1), ('ngo', 'R', 7), ('nko', 'S', 20), ('nko', 'I', 1), ('nko', 'R', 7)]
    """
    exact = table.cells[:, :DILUTIONS]
    levels = np.array(
        [-1 if answer is None or answer.category.level is None else answer.category.level for answer in ANSWERS]
    )
    level = levels[exact]
    has_category = level >= 0
    # A stretch without category takes the free level below, or above, what is stated.
    first_position = np.where(has_category.any(axis=1), has_category.argmax(axis=1), DILUTIONS)
    level = np.where(has_category, level, np.where(np.arange(DILUTIONS) < first_position[:, None], 0, 2)).ravel()
    names = np.array(["" if answer is None else _name(answer) for answer in ANSWERS])
    return pl.DataFrame(
        {
            "column": pl.repeat(table.column, level.size, eager=True),
            "mic_code": np.tile(np.arange(DILUTIONS, dtype=np.int16), len(table.keys)),
            "label": pl.Series(names[exact.ravel()].tolist(), dtype=LABEL_TYPE),
            "level": level.astype(np.int8),
            "part": pl.repeat(REFERENCE_PART, level.size, dtype=pl.UInt8, eager=True),
            "weight": pl.repeat(1.0, level.size, dtype=pl.Float64, eager=True),
            "key": pl.Series(np.repeat(np.array(table.keys, dtype=object), DILUTIONS).tolist(), dtype=pl.String),
        }
    )


def _name(answer: Answer) -> str:
    return f"{answer.category.value}:{answer.reason.value}" if answer.reason else answer.category.value


def _sites(file: WhonetFile) -> pl.Series:
    """Return each row's site; unknown without a specimen, or if the specimen names no site."""
    if file.specimen_column is None:
        return pl.repeat(Site.UNKNOWN.value, file.frame.height, dtype=SITE_TYPE, eager=True)
    column = file.frame[file.specimen_column]
    texts = _distinct(column)
    sites = [(site_of_specimen(text) or Site.UNKNOWN).value for text in texts]
    column_sites = column.replace_strict(texts, sites, default=Site.UNKNOWN.value, return_dtype=pl.String)
    return column_sites.fill_null(Site.UNKNOWN.value).cast(SITE_TYPE)


def _distinct(column: pl.Series) -> list[str]:
    """Return the distinct texts of a column; for an enumeration, all texts that its file holds."""
    if isinstance(column.dtype, pl.Enum):
        return column.dtype.categories.to_list()
    return column.drop_nulls().unique().sort().to_list()


def _resolved(file: WhonetFile, header: str) -> pl.Series:
    """Return the organism codes of a column; null if the organism is missing or unknown."""
    column = file.frame[header]
    texts = _distinct(column)
    readings = file.readings_of(header, texts)
    codes = pl.Series(
        [code or None for code in resolve_many(readings.get(text, text) for text in texts)], dtype=ROW_TYPES["organism"]
    )
    return column.replace_strict(texts, codes, default=None, return_dtype=ROW_TYPES["organism"])


def _codes(file: WhonetFile, header: str) -> pl.Series:
    column = file.frame[header]
    texts = _distinct(column)
    readings = file.readings_of(header, texts)
    codes = encode_mics((readings.get(text, text) for text in texts), file.test_columns[header].drug)
    return column.replace_strict(texts, codes, default=MISSING, return_dtype=pl.Int16).fill_null(MISSING)


def _written_labels(file: WhonetFile, header: str, labels: LabelSource) -> pl.Series:
    """Return the laboratory's labels of a test column, or those beside its MICs; null if there are none to use."""
    if labels is LabelSource.REFERENCE:
        return pl.repeat(None, file.frame.height, dtype=LABEL_TYPE, eager=True)
    category_header = file.category_columns.get(header) or file.label_columns.get(header)
    column = file.frame[category_header or header]
    texts = _distinct(column)
    label_of = read_label if category_header else label_beside
    text_labels = pl.Series(
        [None if (label := label_of(text)) not in LABELS else label.value for text in texts], dtype=LABEL_TYPE
    )
    return column.replace_strict(texts, text_labels, default=None, return_dtype=LABEL_TYPE)
