"""The result of a label audit, for the pages: `training` makes the audit, but the pages cannot import `training`."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from sirena.domain.language import Language
from sirena.whonet.file import WhonetFile


@dataclass(frozen=True)
class AuditedLabels:
    """Where the laboratory's categories contradict one another, the order of MICs, or the guideline edition."""

    cells: pl.DataFrame
    """Contradictions, the gravest first: ``rank``, ``column``, ``organism``, ``organism_name``, ``site``, ``mic``,
    ``label``, ``results``, ``severity``, ``findings``, ``other_label``, ``other_results``, ``reference``."""
    edition: str
    """Names of the guideline editions."""
    isolates: Callable[[Language], pl.DataFrame]
    """Function that returns a row for each labelled result of those cells: ``rank``, ``row``, ``specimen_number``,
    ``column`` … ``label``, ``what`` (in words), ``reference``."""


AuditOf = Callable[[WhonetFile], AuditedLabels | None]
"""Function that audits the labels of a file, or returns None if the file has no labels; may take seconds."""
