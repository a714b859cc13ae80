"""What another panel would answer otherwise of a file's own results."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .compiled import Panel
from .frame import Isolates, interpret_frame


@dataclass(frozen=True)
class FileChange:
    """Results of one test column whose category changes alike."""

    header: str
    """Test column, as found."""
    before: str
    after: str
    rows: NDArray[np.intp]
    """Positions in the file's frame, from 0."""


def file_changes(isolates: Isolates, before: Panel, after: Panel) -> Iterator[FileChange]:
    """Yield what two panels answer otherwise of a file's results, column by column.

    An empty MIC is asked of neither. Categories the file holds already do not matter.

    Args:
        isolates: rows and columns of the file.
        before: the panel that answers now.
        after: the panel that is to answer.
    """
    used = [isolates.organism_column, *isolates.test_columns, *_specimen(isolates)]
    plain = replace(isolates, frame=isolates.frame.select(list(dict.fromkeys(used))), category_columns={})
    old = interpret_frame(plain, lambda column: before.tables.get(column.model_column))
    new = interpret_frame(plain, lambda column: after.tables.get(column.model_column))
    for header in isolates.test_columns:
        pair = [_categories(answered, header) for answered in (old, new)]
        changed = np.flatnonzero(pair[0] != pair[1])
        for was, now in sorted({(str(pair[0][row]), str(pair[1][row])) for row in changed.tolist()}):
            rows = np.flatnonzero((pair[0] == was) & (pair[1] == now))
            yield FileChange(header, was, now, rows)


def _specimen(isolates: Isolates) -> list[str]:
    return [isolates.site] if isolates.site in isolates.frame.columns else []


def _categories(answered: pl.DataFrame, header: str) -> NDArray[np.str_]:
    """Return the categories of a test column: they stand directly after it."""
    column = answered.to_series(answered.columns.index(header) + 1)
    return np.array(column.cast(pl.String).fill_null("").to_list(), dtype=np.str_)
