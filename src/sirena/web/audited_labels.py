"""The label audit as the pages have it: made by whoever stands to their right, for training is theirs."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from sirena.panel.basis import Language
from sirena.whonet.file import WhonetFile


@dataclass(frozen=True)
class AuditedLabels:
    """Where the laboratory's categories contradict one another, the order of MICs, or the edition."""

    cells: pl.DataFrame
    """The gravest first: ``rank``, ``column``, ``organism``, ``organism_name``, ``site``, ``mic``, ``label``,
    ``results``, ``severity``, ``findings``, ``other_label``, ``other_results``, ``reference``."""
    edition: str
    """Names of the editions."""
    isolates: Callable[[Language], pl.DataFrame]
    """Returns one row for each labelled result of those cells: ``rank``, ``row``, ``specimen_number``, ``column`` …
    ``label``, ``what`` (in words), ``reference``."""


AuditOf = Callable[[WhonetFile], AuditedLabels | None]
"""Audits the labels of a file; None when it has none. May take seconds."""
