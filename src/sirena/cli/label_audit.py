"""The label audit in the output of ``sirena inspect`` and ``sirena train``."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sirena.cli.sections import Section

if TYPE_CHECKING:
    import polars as pl

SHOWN: Final = 10
"""Most cells shown on a terminal; a file gets all."""

_COLUMNS: Final = (
    "column",
    "organism",
    "mic",
    "label",
    "results",
    "findings",
    "other_label",
    "other_results",
    "reference",
)
_HEADINGS: Final = (
    "column",
    "organism",
    "MIC",
    "label",
    "#results",
    "contradicts",
    "other label",
    "#its results",
    "edition",
)


def audit_section(audit: "pl.DataFrame", edition: str, audit_file: Path | None) -> Section:
    """Return a section with the gravest cells of the label audit, and the number of all.

    Args:
        audit: the audit, from `label_audit.audit_labels`.
        edition: name of the guideline edition with which the labels were compared.
        audit_file: file with all cells, if one was written.
    """
    rows = [
        tuple("" if cell is None else str(cell) for cell in row) for row in audit.select(_COLUMNS).head(SHOWN).rows()
    ]
    place_text = f"; all are in {audit_file}" if audit_file else "; --audit FILE writes all of them"
    note = (
        f"{audit.height:,} cells hold {audit['results'].sum():,} labels that contradict one another, "
        f"the order of MICs, or {edition}{place_text if audit.height else ''}. "
        "The laboratory decides which label is right."
    )
    return Section("Label audit", rows, _HEADINGS, note)
