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


def audit_section(audit: "pl.DataFrame", edition: str, written: Path | None) -> Section:
    """Return a section with the gravest cells of the label audit, and the number of all.

    Args:
        audit: from `label_audit.audit_labels`.
        edition: name of the edition the labels were compared with.
        written: file with all cells, if one was written.
    """
    rows = [
        tuple("" if cell is None else str(cell) for cell in row) for row in audit.select(_COLUMNS).head(SHOWN).rows()
    ]
    where = f"; all are in {written}" if written else "; --audit FILE writes all of them"
    note = (
        f"{audit.height:,} cells hold {audit['results'].sum():,} labels that contradict one another, "
        f"the order of MICs, or {edition}{where if audit.height else ''}. Who is right is yours to say."
    )
    return Section("Label audit", rows, _HEADINGS, note)
