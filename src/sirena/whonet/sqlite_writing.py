"""Writing WHONET's SQLite form: table ``Isolates`` with ``ROW_IDX`` as its key and every other column text."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import polars as pl

from sirena.domain.errors import UsageError
from sirena.whonet.sqlite import TABLE

ROW_INDEX: Final = "ROW_IDX"
_KEY: Final = "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT UNIQUE"
_MOST_COLUMNS: Final = 1999
_BATCH: Final = 20_000


def write_sqlite(frame: pl.DataFrame, path: Path) -> None:
    """Write a table as an SQLite file of WHONET's form.

    A frame without ``ROW_IDX`` gets one, counted from 1. An existing ``ROW_IDX`` keeps its place and values; it is the
    key if the values are distinct whole numbers, and plain text otherwise.

    Raises:
        UsageError: the table has more columns than SQLite can hold, or two that differ in letter case only.

    >>> from tempfile import TemporaryDirectory
    >>> from sirena.whonet.reading import read_file
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "2025.sqlite")
    ...     write_sqlite(pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": ["<=2"]}), path)
    ...     read_file(path).frame.to_dicts()
    [{'ROW_IDX': '1', 'ORGANISM': 'eco', 'AMK_NM': '<=2'}]
    """
    _refuse_unfit(frame)
    frame = frame.cast(pl.String)
    index = next((name for name in frame.columns if name.casefold() == ROW_INDEX.casefold()), None)
    if index is None:
        index = ROW_INDEX
        frame = frame.with_row_index(index, offset=1)
    is_key = _is_key(frame[index])
    if is_key:
        frame = frame.with_columns(pl.col(index).cast(pl.Int64))
    columns = ", ".join(f"{_quote(name)} {_KEY if is_key and name == index else 'TEXT NULL'}" for name in frame.columns)
    slots = ", ".join("?" * frame.width)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # The file is new and renamed only when complete, so no journal has to protect it.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE SchemaVersion (VersionNumber INTEGER)")
        connection.execute(f"CREATE TABLE {TABLE} ({columns})")
        for part in frame.iter_slices(_BATCH):
            connection.executemany(f"INSERT INTO {TABLE} VALUES ({slots})", part.rows())  # noqa: S608 - own names only
        connection.execute("COMMIT")


def _refuse_unfit(frame: pl.DataFrame) -> None:
    if frame.width > _MOST_COLUMNS:
        raise UsageError(
            f"SQLite holds {_MOST_COLUMNS} columns and the table has {frame.width}", hint="Write .csv or .parquet."
        )
    folded_names: set[str] = set()
    for name in frame.columns:
        if name.casefold() in folded_names:
            raise UsageError(
                f"SQLite cannot tell column {name} from one that differs in letter case", hint="Write .csv."
            )
        folded_names.add(name.casefold())


def _is_key(column: pl.Series) -> bool:
    numbers = column.cast(pl.Int64, strict=False)
    spelled_the_same = (numbers.cast(pl.String) == column.cast(pl.String)).all()
    return bool(numbers.null_count() == 0 and spelled_the_same and numbers.n_unique() == len(numbers))


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
