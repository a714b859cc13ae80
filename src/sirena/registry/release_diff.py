"""Differences between two releases: every changed category by antimicrobial, organism, body site and MIC."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sirena.domain.category import Category
from sirena.domain.mic import CODES, Mic
from sirena.domain.site import Site
from sirena.domain.truth_table import ANSWERS, TruthTable, answer_code
from sirena.panel.compiled import Panel


@dataclass(frozen=True)
class CategoryChange:
    """One category that differs between two releases."""

    column: str
    organism: str
    mic: str
    """MIC as laboratories write it, ``<=0.5``."""
    before: str
    """Category by the first release; empty if it had no model for the column."""
    after: str
    site: str = ""
    """The body site; empty for all body sites that both releases answer in the same way."""


def differences(before: Panel, after: Panel) -> Iterator[CategoryChange]:
    """Yield every (antimicrobial, organism, body site, MIC) whose category differs, in that order.

    Another reason of an NI is not a change, since clinicians act on the category. An organism that only one release
    knows is NI in the other; a column that only one release answers has no category in the other. Body sites without
    separate answers in both releases are compared once.
    """
    for column in sorted({*before.tables, *after.tables}):
        tables = before.tables.get(column), after.tables.get(column)
        questions = list(questions_of(tables))
        old_cells, new_cells = (category_positions(table, questions) for table in tables)
        for row, code in np.argwhere(old_cells != new_cells):
            organism, site, _ = questions[row]
            yield CategoryChange(
                column,
                organism,
                str(Mic.from_code(int(code))),
                CATEGORY_NAMES[old_cells[row, code]],
                CATEGORY_NAMES[new_cells[row, code]],
                site,
            )


_Question = tuple[str, str, Site]
"""Organism, site as it is shown, and site to ask for."""
CATEGORY_NAMES = ("", *(category.value for category in Category))
"""Category names by position; position 0, an empty name, stands for no answer."""
_CATEGORY_OF = np.array(
    [CATEGORY_NAMES.index(answer.category.value) if answer else 0 for answer in ANSWERS], dtype=np.uint8
)


def questions_of(tables: Sequence[TruthTable | None]) -> Iterator[_Question]:
    """Yield the questions to a column's truth tables: each organism at its separate body sites, and once for others."""
    present_tables = [table for table in tables if table is not None]
    for organism in sorted({organism for table in present_tables for organism in table.organisms}):
        own = {site for table in present_tables for site in (table.sites_of(organism) if table.own_sites else ())}
        common_sites = [site for site in Site if site not in own]
        if common_sites:
            yield organism, "", common_sites[-1]
        for site in Site:
            if site in own:
                yield organism, site.value, site


def category_positions(table: TruthTable | None, questions: Sequence[_Question]) -> NDArray[np.uint8]:
    """Return a truth table's categories as positions, shape (questions, CODES); NI for a question without a row."""
    cells = np.zeros((len(questions), CODES), dtype=np.uint8)
    if table is None:
        return cells
    for number, (organism, _, site) in enumerate(questions):
        row = table.row(organism, site)
        cells[number] = answer_code(Category.NI, table.refusal(organism)) if row is None else table.cells[row]
    return np.asarray(_CATEGORY_OF[cells])
