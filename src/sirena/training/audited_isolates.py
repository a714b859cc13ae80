"""The isolates whose labels a label audit lists, by row and specimen number, so that a person can correct them.

A specimen number identifies a patient: the table is written only to a file that the user requested.
"""

import polars as pl

from sirena.domain.language import Language
from sirena.training.cells import mic_text
from sirena.training.evidence import Evidence
from sirena.training.label_audit import describe_findings
from sirena.whonet.file import WhonetFile
from sirena.whonet.specimen_numbers import specimen_numbers

_CELL = ("column", "organism", "site", "mic", "label")


def audited_isolates(file: WhonetFile, labels: Evidence, audit: pl.DataFrame, language: Language) -> pl.DataFrame:
    """Return one row for each labelled result in a cell that the audit lists, the gravest contradictions first.

    Args:
        file: the file as read, before patients' columns are dropped.
        labels: the laboratory's labels in the same file.
        audit: audit of these labels, from `label_audit.audit_labels`.
        language: language of the words that say what the label contradicts.

    Returns:
        Columns rank (of the audit), row (as the user counts rows), specimen_number, column, organism, site, mic,
        label, severity, what (in words), reference.
    """
    texts = pl.col("column", "organism", "site", "label").cast(pl.String)
    results = labels.rows.with_columns(texts, mic_text()).join(audit, on=_CELL, how="inner")
    positions = results["isolate"].to_numpy().astype("int64")
    return (
        results.with_columns(
            pl.Series("row", file.row_numbers(positions)),
            specimen_numbers(file).gather(positions).alias("specimen_number"),
            describe_findings(results["findings"], language).alias("what"),
        )
        .sort("rank", "row")
        .select("rank", "row", "specimen_number", *_CELL, "severity", "what", "reference")
    )
