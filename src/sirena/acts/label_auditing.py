"""Comparing a laboratory's own categories with one another and with the guideline, down to the isolates."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from sirena.domain.language import Language
from sirena.guidelines.choice import ChosenEditions
from sirena.training.audited_isolates import audited_isolates
from sirena.training.evidence import Evidence, LabelSource, collect_evidence
from sirena.training.label_audit import audit_labels
from sirena.whonet.file import WhonetFile


@dataclass(frozen=True)
class LabelAudit:
    """The contradictions among the categories in a file."""

    cells: pl.DataFrame
    """`label_audit.AUDIT_COLUMNS`, the gravest first."""
    edition: str
    """Names of the guideline editions with which the labels were compared."""
    isolates: Callable[[Language], pl.DataFrame]
    """Returns, in a language, the isolates of those cells by row and specimen number; see `audited_isolates`."""


def labels_of(file: WhonetFile) -> Evidence | None:
    """Return the laboratory's own categories; None if the file has none, neither in columns nor next to MICs.

    Args:
        file: the file that was read.
    """
    if file.organism_column is None:
        return None
    labels = collect_evidence(file, labels=LabelSource.FILE)
    return labels if file.category_columns or file.label_columns or labels.rows.height else None


def audit_file(file: WhonetFile, editions: ChosenEditions) -> LabelAudit | None:
    """Compare the laboratory's categories in a file with one another and the guideline; None if there are none.

    Args:
        file: the file that was read; with specimen numbers if the isolates are to be named by them.
        editions: guideline editions, one for each guideline.
    """
    labels = labels_of(file)
    if labels is None:
        return None
    columns = {column.model_column for column in file.mic_columns.values()}
    cells = audit_labels(labels, editions.tables(columns))
    return LabelAudit(
        cells, editions.names_for(columns), lambda language: audited_isolates(file, labels, cells, language)
    )
