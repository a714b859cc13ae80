"""What another panel would answer otherwise of a file's own results."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .compiled import Panel
from .frame import Isolates, interpret_frame
from .gravity import gravity


@dataclass(frozen=True)
class FileChange:
    """Results of one test column whose category changes alike."""

    header: str
    """Test column, as found."""
    before: str
    after: str
    rows: NDArray[np.intp]
    """Positions in the file's frame, from 0."""


@dataclass(frozen=True)
class FileChanges:
    """All that changes in a file."""

    columns: int
    """MIC columns that were compared."""
    changes: tuple[FileChange, ...]
    """The gravest first, see `gravest_first`."""

    @property
    def results(self) -> int:
        """Results that get another category."""
        return sum(len(change.rows) for change in self.changes)

    @property
    def gravest(self) -> int:
        """Results that are S now and would be R."""
        return sum(len(change.rows) for change in self.changes if gravity(change.before, change.after) == 0)


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
        yield from column_changes(header, *(answered[_category_of(answered, header)] for answered in (old, new)))


def column_changes(header: str, before: pl.Series, after: pl.Series) -> Iterator[FileChange]:
    """Yield what is otherwise in two columns of categories.

    Args:
        header: of the test column.
        before: categories, null for none.
        after: of the same rows.
    """
    old, new = (np.array(one.cast(pl.String).fill_null("").to_list(), dtype=np.str_) for one in (before, after))
    changed = np.flatnonzero(old != new)
    for was, now in sorted({(str(old[row]), str(new[row])) for row in changed.tolist()}):
        yield FileChange(header, was, now, np.flatnonzero((old == was) & (new == now)))


def gravest_first(changes: Iterable[FileChange]) -> tuple[FileChange, ...]:
    """Return changes in the order in which they are looked at: the gravest, then those of most results."""
    return tuple(sorted(changes, key=lambda one: (gravity(one.before, one.after), -len(one.rows), one.header)))


def _specimen(isolates: Isolates) -> list[str]:
    return [isolates.site] if isolates.site in isolates.frame.columns else []


def _category_of(answered: pl.DataFrame, header: str) -> str:
    """Return the header of a test column's categories: they stand directly after it."""
    return answered.columns[answered.columns.index(header) + 1]
