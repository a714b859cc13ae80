"""How the answers to a file's results change from one panel of models to another."""

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
    """Results of one test column whose category changes in the same way."""

    header: str
    """Header of the test column, as in the file."""
    before: str
    after: str
    rows: NDArray[np.intp]
    """Positions of the results in the file's frame, from 0."""


@dataclass(frozen=True)
class FileChanges:
    """All results of a file that two panels answer differently."""

    columns: int
    """Number of MIC columns that were compared."""
    changes: tuple[FileChange, ...]
    """The changes, the gravest first (see `gravest_first`)."""

    @property
    def results(self) -> int:
        """Number of results that get another category."""
        return sum(len(change.rows) for change in self.changes)

    @property
    def gravest(self) -> int:
        """Number of results that change from S to R."""
        return sum(len(change.rows) for change in self.changes if gravity(change.before, change.after) == 0)


def file_changes(isolates: Isolates, before: Panel, after: Panel) -> Iterator[FileChange]:
    """Yield the changes from one panel of models to another, test column by test column.

    Empty MICs are left out. Categories that the file already holds are ignored.

    Args:
        isolates: rows and columns of the file.
        before: the panel of models that answers now.
        after: the panel of models that would answer.

    >>> from sirena.domain.test_column import parse_test_column
    >>> from sirena.guidelines.editions import load_edition
    >>> from sirena.guidelines.interpreter import compile_tables
    >>> table = compile_tables(load_edition("CLSI 2026"), ["AMK"])["AMK"]
    >>> frame = pl.DataFrame({"ORGANISM": ["eco", "kpn"], "AMK_NM": ["2", ""]})
    >>> isolates = Isolates(frame, "ORGANISM", {"AMK_NM": parse_test_column("AMK_NM")}, {})
    >>> changes = file_changes(isolates, Panel({}, {}, "panel_SIR/1"), Panel({"AMK_NM": table}, {}, "panel_SIR/2"))
    >>> [(change.before, change.after, change.rows.tolist()) for change in changes]
    [('NI', 'S', [0])]
    """
    needed_headers = [isolates.organism_column, *isolates.test_columns, *_specimen(isolates)]
    plain = replace(isolates, frame=isolates.frame.select(list(dict.fromkeys(needed_headers))), category_columns={})
    old_frame = interpret_frame(plain, lambda column: before.tables.get(column.model_column))
    new_frame = interpret_frame(plain, lambda column: after.tables.get(column.model_column))
    for header in isolates.test_columns:
        yield from column_changes(
            header, *(answered_frame[_category_of(answered_frame, header)] for answered_frame in (old_frame, new_frame))
        )


def column_changes(header: str, before: pl.Series, after: pl.Series) -> Iterator[FileChange]:
    """Yield the changes between two columns of categories.

    Args:
        header: header of the test column.
        before: categories before, null for a row without a category.
        after: categories of the same rows after.

    >>> changes = column_changes("AMK_NM", pl.Series(["S", "S", "R"]), pl.Series(["S", "I", "R"]))
    >>> [(change.before, change.after, change.rows.tolist()) for change in changes]
    [('S', 'I', [1])]
    """
    old_categories, new_categories = (
        np.array(categories.cast(pl.String).fill_null("").to_list(), dtype=np.str_) for categories in (before, after)
    )
    changed = np.flatnonzero(old_categories != new_categories)
    for old_category, new_category in sorted(
        {(str(old_categories[row]), str(new_categories[row])) for row in changed.tolist()}
    ):
        yield FileChange(
            header,
            old_category,
            new_category,
            np.flatnonzero((old_categories == old_category) & (new_categories == new_category)),
        )


def gravest_first(changes: Iterable[FileChange]) -> tuple[FileChange, ...]:
    """Return changes in the order in which people read them: the gravest first, then those of most results.

    >>> rows = np.array([0])
    >>> changes = [FileChange("AMK_NM", "S", "I", rows), FileChange("AMK_NM", "S", "R", rows)]
    >>> [(change.before, change.after) for change in gravest_first(changes)]
    [('S', 'R'), ('S', 'I')]
    """
    return tuple(
        sorted(changes, key=lambda change: (gravity(change.before, change.after), -len(change.rows), change.header))
    )


def _specimen(isolates: Isolates) -> list[str]:
    return [isolates.site] if isolates.site in isolates.frame.columns else []


def _category_of(answered_frame: pl.DataFrame, header: str) -> str:
    """Return the header of a test column's categories, which is the column after it."""
    return answered_frame.columns[answered_frame.columns.index(header) + 1]
