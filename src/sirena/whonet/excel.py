"""Spreadsheets (.xlsx, and what else calamine reads: .xls, .xlsb, .ods)."""

import re
import zipfile
import zlib
from io import BytesIO
from typing import Final

import fastexcel
import numpy as np
import polars as pl

from sirena.domain.errors import UsageError
from sirena.whonet.errors import UnreadableFileError, no_rows
from sirena.whonet.file import Table
from sirena.whonet.headers import assign_roles, refuse_duplicates, refuse_foreign
from sirena.whonet.rows import name_columns, settle
from sirena.whonet.source import MAXIMUM_BYTES, Source

ZIP_MAGIC: Final = b"PK\x03\x04"
OLE_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAXIMUM_UNPACKED: Final = 2 * MAXIMUM_BYTES
_MAXIMUM_CELLS: Final = 150_000_000
"""Of the rectangle from the first to the last cell, all of which the reader holds in memory, 32 bytes each."""
_BLOCK: Final = 2**20
_LONGEST_REFERENCE: Final = 32
_COLUMN: Final = re.compile(rb"""\sr=["']([A-Z]{1,3})[0-9]""")
_ROW: Final = re.compile(rb"""\sr=["'][A-Z]{0,3}([0-9]{1,7})["']""")


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
    content = source.content()
    _refuse_bomb(content, source.name)
    try:
        reader = fastexcel.read_excel(content)
    except fastexcel.FastExcelError as error:
        raise _damaged(source.name) from error
    name = choose_sheet(reader.sheet_names, sheet, source.name)
    try:
        # Without `skip_rows` empty rows at the top would vanish, and row numbers with them.
        loaded = reader.load_sheet(name, header_row=None, skip_rows=0, dtypes="string", whitespace_as_null=True)
        batch, errors = loaded.to_arrow_with_errors()
    except fastexcel.FastExcelError as error:
        raise _damaged(source.name) from error
    cells = pl.DataFrame(pl.from_arrow(batch))
    if cells.is_empty() or cells.width == 0:
        raise UnreadableFileError(f"{source.name}: sheet {name} is empty", hint=_sheets(reader.sheet_names))
    cells = _mark_errors(cells, errors)
    return _with_header(cells, source.name, name)


def choose_sheet(names: list[str], wanted: str | None, file: str) -> str:
    """Return the sheet asked for, letter case aside, or the first.

    Raises:
        NoSuchSheetError: lists the sheets there are.
    """
    if not names:
        raise UnreadableFileError(f"{file}: the workbook has no sheet", hint="Export it again.")
    if wanted is None:
        return names[0]
    found = [name for name in names if name == wanted] or [
        name for name in names if name.casefold() == wanted.casefold()
    ]
    if not found:
        raise NoSuchSheetError(f"{file}: no sheet {wanted}", hint=_sheets(names))
    return found[0]


def _sheets(names: list[str]) -> str:
    return f"Its sheets are: {', '.join(names)}. Choose one with --sheet."


def _refuse_bomb(content: bytes, file: str) -> None:
    if not content.startswith(ZIP_MAGIC):
        return
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > _MAXIMUM_UNPACKED:
                raise UnreadableFileError(
                    f"{file}: unpacks to more than {_MAXIMUM_UNPACKED // 1024**3} GiB",
                    hint="Save it as .csv or .parquet.",
                )
            for name in archive.namelist():
                _refuse_far_cell(archive, name, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise _damaged(file) from error


def _refuse_far_cell(archive: zipfile.ZipFile, name: str, file: str) -> None:
    """Refuse a sheet with a cell far away from the others: a slip of the hand, or meant to fill the memory.

    The reader makes room for every cell between the first and the last, and where there is not enough of it, ends the
    whole process.
    """
    columns: set[bytes] = set()
    last_row, tail = 1, b""
    with archive.open(name) as stream:
        while block := stream.read(_BLOCK):
            text = tail + block
            columns.update(_COLUMN.findall(text))
            last_row = max(last_row, *map(int, set(_ROW.findall(text))), 1)
            tail = text[-_LONGEST_REFERENCE:]
    last_column = max(map(_column_number, columns), default=1)
    if last_row * last_column > _MAXIMUM_CELLS:
        raise UnreadableFileError(
            f"{file}: a sheet reaches to row {last_row}, column {last_column}",
            hint="Delete what stands far from the table (Ctrl+End shows it), or save the sheet as .csv.",
        )


def _column_number(letters: bytes) -> int:
    """Return 1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number


def _damaged(file: str) -> UnreadableFileError:
    return UnreadableFileError(
        f"{file}: not a spreadsheet, or a damaged one",
        hint="Open it in Excel or LibreOffice and save it as .xlsx again.",
    )


def _mark_errors(cells: pl.DataFrame, errors: object) -> pl.DataFrame:
    """Put ``#N/A`` where a formula failed: the reader gives nothing there, and nothing may be lost in silence."""
    found = getattr(errors, "errors", None) or []
    by_column: dict[int, list[int]] = {}
    for cell in found:
        row, column = cell.position
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
