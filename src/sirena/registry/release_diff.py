"""What two releases answer differently: every category, by antimicrobial, organism and MIC."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sirena.domain.category import Category
from sirena.domain.mic import CODES, Mic
from sirena.domain.truth_table import ANSWERS, TruthTable, answer_code
from sirena.panel.compiled import Panel


@dataclass(frozen=True)
class Change:
    """One changed category."""

    column: str
    organism: str
    mic: str
    """As laboratories write it, ``<=0.5``."""
    before: str
    """Category; empty when the release had no model for the column."""
    after: str


def differences(before: Panel, after: Panel) -> Iterator[Change]:
    """Yield every (antimicrobial, organism, MIC) whose category differs, in that order.

    A change of the reason of an NI is none: the category is what a clinician acts on. An organism only one
    release knows is NI in the other; a column only one release answers has no category in the other.
    """
    for column in sorted({*before.tables, *after.tables}):
        old, new = before.tables.get(column), after.tables.get(column)
        organisms = sorted({*(old.organisms if old else ()), *(new.organisms if new else ())})
        old_cells, new_cells = _categories(old, organisms), _categories(new, organisms)
        for row, code in np.argwhere(old_cells != new_cells):
            yield Change(
                column,
                organisms[row],
                str(Mic.from_code(int(code))),
                _NAMES[old_cells[row, code]],
                _NAMES[new_cells[row, code]],
            )


_NAMES = ["", *(category.value for category in Category)]
_CATEGORY_OF = np.array([_NAMES.index(answer.category.value) if answer else 0 for answer in ANSWERS], dtype=np.uint8)


def _categories(table: TruthTable | None, organisms: list[str]) -> NDArray[np.uint8]:
    """Return category positions (organisms, CODES) for a table, NI where it does not know the organism."""
    if table is None:
        return np.zeros((len(organisms), CODES), dtype=np.uint8)
    absent = np.full(CODES, answer_code(Category.NI, table.absent), dtype=np.uint8)
    rows = [table.cells[table.row_of[name]] if name in table.row_of else absent for name in organisms]
    return np.asarray(_CATEGORY_OF[np.array(rows, dtype=np.uint8).reshape(len(organisms), CODES)])
