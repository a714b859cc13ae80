"""What a guideline edition says about one test column, so that a model of it can be compared."""

import numpy as np

from sirena.domain.category import Reason
from sirena.domain.mic import CODES
from sirena.domain.truth_table import TruthTable


def reference_for(reference: dict[str, TruthTable], drug: str, column: str) -> TruthTable:
    """Return the edition's table for a test column: an edition of another guideline states nothing about it."""
    table = reference.get(drug)
    if table is not None and table.column == column:
        return table
    return TruthTable(column, (), np.empty((0, CODES), dtype=np.uint8), absent=Reason.NO_BREAKPOINT)
