"""Reading WHONET's SQLite files: one table, ``Isolates``, with ``ROW_IDX`` and columns of text."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import quote

import polars as pl

from sirena.whonet.errors import UnreadableFileError, no_rows
from sirena.whonet.file import RawTable
from sirena.whonet.headers import assign_roles, refuse_duplicates, refuse_foreign
from sirena.whonet.numbers import spell_numbers
from sirena.whonet.problems import Problem, ProblemClass
from sirena.whonet.source import Source

MAGIC: Final = b"SQLite format 3\0"
TABLE: Final = "Isolates"
_BATCH: Final = 20_000
_HIDDEN: Final = 6
"""Position in a row of `PRAGMA table_xinfo` that says whether a column is hidden or computed."""
_COMPUTED: Final = (2, 3)
_MODE: Final = slice(18, 20)
"""Bytes of the header that say by which journal the file was last written."""
_WAL_MODE: Final = b"\x02\x02"
_PLAIN_MODE: Final = b"\x01\x01"
"""Mark of a file without write-ahead log; a database in memory must have it."""


def read_sqlite(source: Source) -> RawTable:
    """Read the table ``Isolates``; the file is opened read-only, and no other file is written next to it.

    Raises:
        UnreadableFileError: the file has no such table, is damaged, or holds no isolates.
        DuplicateColumnsError: two columns have one meaning.

    >>> from sirena.whonet import source, sqlite_writing
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "2025.sqlite")
    ...     sqlite_writing.write_sqlite(pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": ["4"]}), path)
    ...     read_sqlite(source.open_source(path)).frame.rows()
    [('1', 'eco', '4')]
    """
    try:
        with _database(source) as connection:
            connection.text_factory = lambda data: data.decode("utf-8", "replace")
            table = _read_table(connection, source.name)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise UnreadableFileError(
            f"{source.name}: the SQLite file is damaged or locked", hint="Close WHONET, or copy the file again."
        ) from error
    if source.head[_MODE] == _WAL_MODE and _log_beside(source) is None:
        return replace(table, problems=(*table.problems, Problem(ProblemClass.WRITE_AHEAD_LOG, None, 1)))
    return table


def _log_beside(source: Source) -> Path | None:
    """Return the path of the write-ahead log beside the file; None if there is none."""
    if source.path is None:
        return None
    log = source.path.with_name(source.path.name + "-wal")
    return log if log.exists() else None


@contextmanager
def _database(source: Source) -> Iterator[sqlite3.Connection]:
    """Open the file read-only; or a private copy if it has a write-ahead log; or the bytes in memory.

    To read a write-ahead log, SQLite creates a file beside the database, where nothing may be written.
    """
    log = _log_beside(source)
    if source.path is None:
        with closing(sqlite3.connect(":memory:")) as connection:
            content = bytearray(source.content())
            if content[_MODE] == _WAL_MODE:
                content[_MODE] = _PLAIN_MODE
            connection.deserialize(bytes(content))
            yield connection
    elif log is None or not log.stat().st_size:
        with closing(_connect(source.path, "mode=ro&immutable=1")) as connection:
            yield connection
    else:
        with tempfile.TemporaryDirectory(prefix="sirena-") as folder:
            path = Path(folder, "isolates.sqlite")
            shutil.copyfile(source.path, path)
            shutil.copyfile(log, path.with_name(path.name + "-wal"))
            with closing(_connect(path, "mode=ro")) as connection:
                yield connection


def _connect(path: Path, how: str) -> sqlite3.Connection:
    """Open a database read-only; `immutable` keeps SQLite from creating lock files if there is no log to read."""
    return sqlite3.connect(f"file:{quote(str(path.resolve()))}?{how}", uri=True)


def _read_table(connection: sqlite3.Connection, file: str) -> RawTable:
    # what is stored: a view, a virtual table or a computed column can yield rows and texts without end
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
    tables = [name for (name,) in connection.execute(query)]
    table = next((name for name in tables if name.casefold() == TABLE.casefold()), None)
    if table is None:
        raise UnreadableFileError(
            f"{file}: the SQLite file has no table {TABLE}; it has {', '.join(sorted(tables)) or 'none'}",
            hint="Name a WHONET data file.",
        )
    quoted_name = '"' + table.replace('"', '""') + '"'
    if any(column[_HIDDEN] in _COMPUTED for column in connection.execute(f"PRAGMA table_xinfo({quoted_name})")):
        raise UnreadableFileError(f"{file}: table {TABLE} has computed columns", hint="Export it from WHONET again.")
    cursor = connection.execute(f"SELECT * FROM {quoted_name}")  # noqa: S608 - a quoted name from the schema itself
    headers = [description[0] for description in cursor.description]
    refuse_duplicates(headers)
    refuse_foreign(assign_roles(headers), file)
    batches: list[pl.DataFrame] = []
    while rows := list(islice(cursor, _BATCH)):
        batches.append(
            pl.DataFrame(
                [_texts(header, column) for header, column in zip(headers, zip(*rows, strict=True), strict=True)]
            )
        )
    if not batches:
        raise no_rows(file)
    return RawTable(pl.concat(batches), None, 1, detail=f"table {table}")


def _texts(name: str, values: tuple[object, ...]) -> pl.Series:
    """Return one column as texts; in SQLite every cell may have a type of its own."""
    try:
        column = pl.Series(name, values, dtype=pl.String, strict=True)
    except TypeError:
        column = pl.Series(name, [_text(value) for value in values], dtype=pl.String)
    return column.set(column == "", None)


def _text(value: object) -> str | None:
    if isinstance(value, float):
        return str(spell_numbers(pl.Series([value]))[0])
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)
