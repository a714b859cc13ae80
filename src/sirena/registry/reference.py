"""What a guideline edition states about one test column, as a truth table to compare a model with."""

import numpy as np

from sirena.domain.category import Reason
from sirena.domain.mic import CODES
from sirena.domain.test_column import parse_test_column
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.editions import Edition
from sirena.guidelines.interpreter import compile_tables


def reference_for(edition: Edition, column: str) -> TruthTable:
    """Return a guideline edition's truth table for a test column; it is empty if the column is of another guideline."""
    test_column = parse_test_column(column)
    if test_column is not None:
        table = compile_tables(edition, [test_column.drug])[test_column.drug]
        if table.column == column:
            return table
    return nothing_stated(column)


def nothing_stated(column: str) -> TruthTable:
    """Return a truth table without rows, for a test column about which no guideline states anything."""
    return TruthTable(column, (), np.empty((0, CODES), dtype=np.uint8), absent=Reason.NO_BREAKPOINT)
