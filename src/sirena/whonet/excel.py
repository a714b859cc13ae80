"""Spreadsheets: .xlsx, and the other formats that calamine reads (.xls, .xlsb, .ods)."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from sirena.domain.errors import UsageError
from sirena.whonet.errors import UnreadableFileError, no_rows
from sirena.whonet.excel_formats import as_shown
from sirena.whonet.file import RawTable
from sirena.whonet.header_row import LOOKED_AT, find_header_row, join_header_rows, roles_of_cells
from sirena.whonet.headers import refuse_duplicates, refuse_foreign
from sirena.whonet.problems import Problem, ProblemClass
from sirena.whonet.rows import name_columns, settle
from sirena.whonet.source import Source
from sirena.whonet.workbook import Workbook, read_workbook


class NoSuchSheetError(UsageError):
    """The workbook has no sheet of the requested name."""

    code = "no_such_sheet"


def read_excel(source: Source, sheet: str | None) -> RawTable:
    """Read one sheet: the named one, or the first visible one that holds a table; its header may be below a title.

    A number becomes the text that Excel shows (0.5, 4, ``<=0.5`` if the format writes the sign), a date ``2025-02-01``,
    a formula its last result.

    Raises:
        NoSuchSheetError: there is no sheet of that name; the message lists the sheets.
        UnreadableFileError: the file is no workbook or damaged, or has no WHONET header or no isolates.
        DuplicateColumnsError: two columns have one name.

    >>> from io import BytesIO
    >>> from sirena.whonet import excel_writing, source
    >>> stream = BytesIO()
    >>> excel_writing.write_excel(pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": ["<=2"]}), stream)
    >>> read_excel(source.source_of(BytesIO(stream.getvalue()), "2025.xlsx"), sheet=None).frame.rows()
    [('eco', '<=2')]
    """
    content = source.content()
    workbook = read_workbook(content, source.name, sheet)
    if not workbook.sheets:
        raise UnreadableFileError(f"{source.name}: the workbook has no sheet", hint="Export it again.")
    if workbook.sheet is None:
        raise NoSuchSheetError(f"{source.name}: no sheet {sheet}", hint=_sheets(workbook))
    if sheet is None and workbook.sheet in workbook.hidden_sheets:
        raise UnreadableFileError(f"{source.name}: all its sheets are hidden", hint=_sheets(workbook))
    if workbook.cells.is_empty() or workbook.cells.width == 0:
        raise UnreadableFileError(f"{source.name}: sheet {workbook.sheet} is empty", hint=_sheets(workbook))
    cells = _mark_errors(workbook.cells, workbook.error_cells)
    return _with_header(as_shown(cells, content, workbook.sheet, source.name), source.name, workbook)


def _sheets(workbook: Workbook) -> str:
    names = [f"{name} (hidden)" if name in workbook.hidden_sheets else name for name in workbook.sheets]
    return f"Its sheets are: {', '.join(names)}. Choose one with --sheet."


def _mark_errors(cells: pl.DataFrame, error_cells: Sequence[tuple[int, int]]) -> pl.DataFrame:
    """Return the cells with ``#N/A`` where a formula failed, since the reader gives empty cells there."""
    by_column: dict[int, list[int]] = {}
    for row, column in error_cells:
        by_column.setdefault(column, []).append(row)
    for column, rows in by_column.items():
        name = cells.columns[column]
        cells = cells.with_columns(cells[name].scatter(np.asarray(rows), "#N/A"))
    return cells


def _with_header(cells: pl.DataFrame, file: str, workbook: Workbook) -> RawTable:
    filled_rows = cells.select(pl.any_horizontal(pl.all().is_not_null())).to_series().arg_true()
    if filled_rows.is_empty():
        raise no_rows(file)
    first = int(filled_rows[0])
    top = find_header_row(cells[: first + 2 * LOOKED_AT].rows())
    if top is None and workbook.sheets[1:]:
        raise UnreadableFileError(
            f"{file}: sheet {workbook.sheet} holds no table of isolates with column names", hint=_sheets(workbook)
        )
    top = first if top is None else top
    headers = [(header or "").strip() for header in cells.row(top)]
    rows = [(cells.row(number), number) for number in (top - 1, top + 1) if 0 <= number < cells.height]
    for row, number in rows:  # a header of two rows: antimicrobials over merged cells, methods below
        other_headers = [(cell or "").strip() for cell in row]
        joined_headers = join_header_rows(*((other_headers, headers) if number < top else (headers, other_headers)))
        if joined_headers is not None:
            headers, top = joined_headers, max(top, number)
            break
    refuse_duplicates(header for header in headers if header)
    names = name_columns(headers)
    refuse_foreign(roles_of_cells(headers), file)
    frame = cells[top + 1 :]
    frame.columns = names
    frame = frame.with_columns(pl.all().str.replace(r"^(\d{4}-\d{2}-\d{2}) 00:00:00$", "$1"))
    frame = frame.with_columns(pl.when(pl.all() != "").then(pl.all()))
    substitute_names = [name for name, header in zip(names, headers, strict=True) if not header]
    detail = f"sheet {workbook.sheet}"
    if workbook.other_tables:
        detail += f"; not read: {', '.join(workbook.other_tables)}"
    table = settle(frame, substitute_names, file, top + 2, detail=detail)
    problems = [Problem(ProblemClass.OTHER_SHEET, None, len(workbook.other_tables))] if workbook.other_tables else []
    problems += [Problem(ProblemClass.TITLE_ROW, None, top - first)] if top > first else []
    return replace(table, problems=(*problems, *table.problems)) if problems else table
