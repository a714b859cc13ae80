"""Reading a WHONET file of any format into one kind of table.

Rules, each with a test of like name:

- the format is told from the content, never from the file's name;
- every column and row is kept, in order and as text; an empty cell is null;
- what cannot be trusted as a whole (cut off, damaged, ragged, two columns of one name) is an error;
- what is wrong in single cells is a problem, named by row, column and class (`WhonetFile.problems`).
"""

from pathlib import Path

import polars as pl

from sirena.domain.errors import UsageError
from sirena.whonet.dbase import is_dbase, read_dbase
from sirena.whonet.delimited import read_delimited
from sirena.whonet.encoding import looks_like_text
from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.excel import OLE_MAGIC, read_excel
from sirena.whonet.file import FileFormat, Table, WhonetFile
from sirena.whonet.headers import ORGANISM_FIELDS, Roles, assign_roles
from sirena.whonet.parquet import MAGIC as PARQUET_MAGIC
from sirena.whonet.parquet import read_parquet
from sirena.whonet.source import Source, open_source
from sirena.whonet.sqlite import MAGIC as SQLITE_MAGIC
from sirena.whonet.sqlite import read_sqlite
from sirena.whonet.workbook import ZIP_MAGIC


def read_file(path: Path | str, *, sheet: str | None = None) -> WhonetFile:
    """Read a WHONET file: dBASE, SQLite, delimited text, spreadsheet or Parquet, also packed with gzip.

    Args:
        path: the file; ``-`` reads standard input.
        sheet: name of a spreadsheet's sheet; the first when None.

    Raises:
        UnavailableFileError: missing, a folder, or not readable.
        UnreadableFileError: empty, damaged, cut off, of no known format, or no table of WHONET's.
        DuplicateColumnsError: two columns have one meaning.
        UsageError: a sheet is named that is not there, or the file has no sheets.
    """
    source = open_source(path)
    file_format = find_format(source)
    if sheet is not None and file_format is not FileFormat.EXCEL:
        raise UsageError(f"{source.name}: is no spreadsheet and has no sheet {sheet}", hint="Leave out --sheet.")
    table = _read_table(source, file_format, sheet)
    return describe_table(path, file_format, table)


def describe_table(path: Path | str, file_format: FileFormat, table: Table) -> WhonetFile:
    """Give the columns of a table their roles.

    Raises:
        DuplicateColumnsError: two columns have one meaning.
    """
    roles = assign_roles(table.frame.columns)
    return WhonetFile(
        path=path,
        format=file_format,
        table=table,
        organism_column=_choose_organism(table.frame, roles),
        specimen_column=_first_filled(table.frame, roles.headers_of("SPEC_TYPE")),
        date_column=_first_filled(table.frame, roles.headers_of("SPEC_DATE")),
        test_columns=roles.test_columns,
        category_columns=roles.category_columns,
    )


def find_format(source: Source) -> FileFormat:
    """Tell the format from the first bytes.

    Raises:
        UnreadableFileError: they are of no format read here.
    """
    head = source.head
    if head.startswith(SQLITE_MAGIC):
        return FileFormat.SQLITE
    if head.startswith(PARQUET_MAGIC):
        return FileFormat.PARQUET
    if head.startswith((ZIP_MAGIC, OLE_MAGIC)):
        return FileFormat.EXCEL
    if is_dbase(head):
        return FileFormat.DBASE
    if looks_like_text(head):
        return FileFormat.DELIMITED
    raise UnreadableFileError(
        f"{source.name}: of no format that is read here",
        hint="Give a WHONET file: dBASE, SQLite, delimited text, .xlsx or Parquet.",
    )


def _read_table(source: Source, file_format: FileFormat, sheet: str | None) -> Table:
    match file_format:
        case FileFormat.SQLITE:
            return read_sqlite(source)
        case FileFormat.PARQUET:
            return read_parquet(source)
        case FileFormat.EXCEL:
            return read_excel(source, sheet)
        case FileFormat.DBASE:
            return read_dbase(source)
        case FileFormat.DELIMITED:
            return read_delimited(source)


def _choose_organism(frame: pl.DataFrame, roles: Roles) -> str | None:
    return _first_filled(frame, [header for short in ORGANISM_FIELDS for header in roles.headers_of(short)])


def _first_filled(frame: pl.DataFrame, headers: list[str]) -> str | None:
    """Return the first column that holds anything, else the first, else None."""
    filled = (header for header in headers if frame[header].null_count() < frame.height)
    return next(filled, headers[0] if headers else None)
