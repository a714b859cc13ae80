"""WHONET's SQLite files: one table, ``Isolates``, with ``ROW_IDX`` and columns of text."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import quote

import polars as pl

from sirena.whonet.errors import UnreadableFileError, no_rows
from sirena.whonet.file import Table
from sirena.whonet.headers import assign_roles, refuse_duplicates, refuse_foreign
from sirena.whonet.numbers import spell_numbers
from sirena.whonet.source import Source

MAGIC: Final = b"SQLite format 3\0"
TABLE: Final = "Isolates"
_BATCH: Final = 20_000


def read_sqlite(source: Source) -> Table:
    """Read the table ``Isolates``; the file is opened for reading only and nothing is written beside it.

    Raises:
        UnreadableFileError: no such table, a damaged file, no isolates.
        DuplicateColumnsError: two columns have one meaning.
    """
    try:
        with _database(source) as path, closing(_connect(path)) as connection:
            return _read(connection, source.name)
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise UnreadableFileError(
            f"{source.name}: the SQLite file is damaged or locked", hint="Close WHONET, or copy the file again."
        ) from error


@contextmanager
def _database(source: Source) -> Iterator[Path]:
    """Give the file itself, or a private copy when it came packed or through a pipe."""
    if source.path is not None:
        yield source.path
        return
    with tempfile.TemporaryDirectory(prefix="sirena-") as folder:
        path = Path(folder, "isolates.sqlite")
        path.write_bytes(source.content())
        yield path


def _connect(path: Path) -> sqlite3.Connection:
    """Open for reading only; `immutable` keeps SQLite from making lock files unless a write-ahead log must be read."""
    log = path.with_name(path.name + "-wal")
    mode = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?{mode}", uri=True)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    return connection


def _read(connection: sqlite3.Connection, file: str) -> Table:
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')")]
    table = next((name for name in tables if name.casefold() == TABLE.casefold()), None)
    if table is None:
        raise UnreadableFileError(
            f"{file}: the SQLite file has no table {TABLE}; it has {', '.join(sorted(tables)) or 'none'}",
            hint="Name a WHONET data file.",
        )
    quoted = '"' + table.replace('"', '""') + '"'
    cursor = connection.execute(f"SELECT * FROM {quoted}")  # noqa: S608 - a quoted name from the schema itself
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
    return Table(pl.concat(batches), None, 1, detail=f"table {table}")


def _texts(name: str, values: tuple[object, ...]) -> pl.Series:
    """Return one column as texts; SQLite lets every cell have a type of its own."""
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
