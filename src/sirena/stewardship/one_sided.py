"""Breakpoints that give R above them and no category below: EUCAST's brackets, screens for high-level resistance.

If they were counted, only resistant isolates would be in the percentage, so it would always be 100 % R.
"""

from typing import Final

import numpy as np

from sirena.domain.category import Category
from sirena.domain.mic import DILUTIONS
from sirena.domain.truth_table import ANSWERS, TruthTable

_IS_NI: Final = np.array([answer is not None and answer.category is Category.NI for answer in ANSWERS])
_IS_RESISTANT: Final = np.array(
    [answer is not None and answer.category in (Category.R, Category.NS) for answer in ANSWERS]
)
_IS_OTHER: Final = ~_IS_NI & ~_IS_RESISTANT & np.array([answer is not None for answer in ANSWERS])


def is_one_sided(table: TruthTable, row: int | None) -> bool:
    """Tell whether a table's row gives some exact MICs R or NS, others NI, and none any other category."""
    if row is None:
        return False
    exact = table.cells[row][:DILUTIONS]
    return bool(_IS_RESISTANT[exact].any() and _IS_NI[exact].any() and not _IS_OTHER[exact].any())
