"""Selecting the isolates of an open file that the table shows: filtered, sorted, one page at a time.

The query is in the page's address, so that Back and Reload keep it; no part of it can name a patient.
"""

from dataclasses import dataclass
from typing import Final

import polars as pl

from sirena.web.opened_file import CODE, ROW, OpenedFile

ROWS_A_PAGE: Final = 100
_ORDERED: Final = {"": ROW, "organism": CODE}


@dataclass(frozen=True)
class RowQuery:
    """Filters, order and page of the table; empty fields do nothing."""

    organism: str = ""
    """WHONET code of an organism."""
    test: str = ""
    """Header of a test column."""
    category: str = ""
    """Category of that test, or of any test when none is named."""
    sort: str = ""
    """Order: ``organism``, a WHONET field of `OpenedFile.shown_fields`, or a test's header; empty means by row."""
    page: int = 1
    alert: str = ""
    """Code of an alert."""

    def parameters(self, **changes: str | int) -> dict[str, str | int]:
        """Return the query as parameters for a page's address, with some changed; empty parameters are left out."""
        values: dict[str, str | int] = {**self.__dict__, **changes}
        return {name: value for name, value in values.items() if value not in ("", 1)}


@dataclass(frozen=True)
class RowPage:
    """One page of the table of isolates."""

    rows: pl.DataFrame
    """Rows of `OpenedFile.rows`, with their position there."""
    total: int
    """Number of isolates that match."""
    page: int
    pages: int


POSITION: Final = "\0position"


def select_rows(
    opened_file: OpenedFile, query: RowQuery, search_text: str = "", alerted: pl.Series | None = None
) -> RowPage:
    """Return the page of isolates that a query asks for, or the last page if there are fewer.

    Args:
        opened_file: the file.
        query: filters, order and page; a column that the file does not have is ignored.
        search_text: text that must be part of specimen number, date, ward or organism, in upper or lower case; empty
            keeps all rows.
        alerted: Boolean per row, True if the query's alert concerns the row; None keeps all rows.
    """
    rows = opened_file.rows.lazy().with_row_index(POSITION)
    if alerted is not None:
        rows = rows.filter(alerted)
    if search_text:
        rows = rows.filter(_holds(opened_file, search_text.casefold()))
    if query.organism:
        rows = rows.filter(pl.col(CODE) == query.organism)
    if query.category:
        tests = [query.test] if query.test in opened_file.tests else list(opened_file.tests)
        rows = rows.filter(
            pl.any_horizontal(pl.col(opened_file.category_of[test]).cast(pl.String) == query.category for test in tests)
        )
    elif query.test in opened_file.tests:
        rows = rows.filter(pl.col(query.test).is_not_null())
    key = _ORDERED.get(query.sort) or opened_file.shown_fields.get(query.sort)
    if key is None and query.sort in opened_file.tests:
        key = opened_file.category_of[query.sort]
    # only what orders the rows is sorted: a row has a hundred columns
    matching = rows.sort([key or ROW, ROW], nulls_last=True).select(POSITION).collect()[POSITION]
    pages = max(1, -(-len(matching) // ROWS_A_PAGE))
    page = min(max(query.page, 1), pages)
    shown_rows = matching.slice((page - 1) * ROWS_A_PAGE, ROWS_A_PAGE)
    return RowPage(opened_file.rows[shown_rows].with_columns(shown_rows), len(matching), page, pages)


def _holds(opened_file: OpenedFile, text: str) -> pl.Expr:
    """Return an expression for the rows with a text in a column shown before the tests."""
    shown_headers = [*opened_file.shown_fields.values(), opened_file.file.require_organism()]
    codes = [code for code, name, _ in opened_file.organisms if text in name.casefold()]
    columns = [pl.col(header).str.to_lowercase().str.contains(text, literal=True) for header in shown_headers]
    return pl.any_horizontal(*columns, pl.col(CODE).is_in(codes)).fill_null(value=False)
