"""Spreadsheets (.xlsx, and what else calamine reads: .xls, .xlsb, .ods)."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from sirena.domain.errors import UsageError
from sirena.whonet.errors import UnreadableFileError, no_rows
from sirena.whonet.file import Table
from sirena.whonet.headers import assign_roles, refuse_duplicates, refuse_foreign
from sirena.whonet.rows import name_columns, settle
from sirena.whonet.source import Source
from sirena.whonet.workbook import read_workbook

OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


class NoSuchSheetError(UsageError):
    """The workbook has no sheet of the name asked for."""

    code = "no_such_sheet"


def read_excel(source: Source, sheet: str | None) -> Table:
    """Read one sheet: the one named, else the first; its first row that holds anything is the header.

    Numbers come as the text Excel shows for them (0.5, 4), dates as ``2025-02-01``, formulas as their last result.

    Raises:
        NoSuchSheetError: no sheet of that name; the message lists those there are.
        UnreadableFileError: not a workbook, damaged, no header of WHONET's, no isolates.
        DuplicateColumnsError: two columns have one name.
    """
    found = read_workbook(source.content(), source.name, sheet)
    if not found.sheets:
        raise UnreadableFileError(f"{source.name}: the workbook has no sheet", hint="Export it again.")
    if found.sheet is None:
        raise NoSuchSheetError(f"{source.name}: no sheet {sheet}", hint=_sheets(found.sheets))
    if found.cells.is_empty() or found.cells.width == 0:
        raise UnreadableFileError(f"{source.name}: sheet {found.sheet} is empty", hint=_sheets(found.sheets))
    return _with_header(_mark_errors(found.cells, found.failed), source.name, found.sheet)


def _sheets(names: list[str]) -> str:
    return f"Its sheets are: {', '.join(names)}. Choose one with --sheet."


def _mark_errors(cells: pl.DataFrame, failed: Sequence[tuple[int, int]]) -> pl.DataFrame:
    """Put ``#N/A`` where a formula failed: the reader gives nothing there, and nothing may be lost in silence."""
    by_column: dict[int, list[int]] = {}
    for row, column in failed:
        by_column.setdefault(column, []).append(row)
    for column, rows in by_column.items():
        name = cells.columns[column]
        cells = cells.with_columns(cells[name].scatter(np.asarray(rows), "#N/A"))
    return cells


def _with_header(cells: pl.DataFrame, file: str, sheet: str) -> Table:
    filled = cells.select(pl.any_horizontal(pl.all().is_not_null())).to_series().arg_true()
    if filled.is_empty():
        raise no_rows(file)
    top = int(filled[0])
    headers = [(header or "").strip() for header in cells.row(top)]
    refuse_duplicates(header for header in headers if header)
    names = name_columns(headers)
    refuse_foreign(assign_roles([header for header in headers if header]), file)
    frame = cells[top + 1 :]
    frame.columns = names
    frame = frame.with_columns(pl.all().str.replace(r"^(\d{4}-\d{2}-\d{2}) 00:00:00$", "$1"))
    frame = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
    unnamed = [name for name, header in zip(names, headers, strict=True) if not header]
    return settle(frame, unnamed, file, top + 2, detail=f"sheet {sheet}")
