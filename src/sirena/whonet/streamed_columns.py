"""Reading a long Parquet or Arrow file in parts; `parquet` and `arrow_file` read one as a whole."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Self

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as parquet

from sirena.engine import Engine
from sirena.whonet.arrow_file import arrow_batches, refuse_huge_arrow
from sirena.whonet.errors import NeedsWholeFileError
from sirena.whonet.file import RawTable
from sirena.whonet.headers import assign_roles, refuse_duplicates, refuse_foreign
from sirena.whonet.parquet import as_texts, refuse_huge
from sirena.whonet.source import Source

_ROWS: Final = 20_000
_LONG: Final = 16 * 1024**2
"""Least bytes of a file whose parts have twice as many rows: fewer parts cost less, and every core has several."""
_LOOKED_AT: Final = 4_000
"""Number of rows by which it is decided whether a column repeats its texts."""


Batches = Callable[[int, Sequence[str]], Iterator[pa.RecordBatch]]
"""Yields all rows, at most so many at once; the named columns dictionary-encoded if the format can."""


@dataclass
class ColumnParts:
    """The parts of one file, and how they are read."""

    source: Source
    names: list[str]
    """Names of the file's columns, in order."""
    batches: Batches
    part: int
    """Rows in a part."""
    by_texts: set[str] = field(default_factory=set)
    """Columns to be dictionary-encoded, as numbers that stand for texts."""

    @classmethod
    def of_parquet(cls, source: Source, path: Path, part: int) -> Self:
        """Create the object from a Parquet file, and read the names of its columns.

        Args:
            source: the file.
            path: path of the file.
            part: number of rows in a part; 0 for the usual number.

        Raises:
            SirenaError: the file holds no WHONET table.
        """

        def batches(rows: int, by_texts: Sequence[str]) -> Iterator[pa.RecordBatch]:
            with parquet.ParquetFile(path, read_dictionary=list(by_texts)) as file:
                yield from file.iter_batches(rows)

        with parquet.ParquetFile(path) as file:
            refuse_huge(file.metadata.num_rows * file.metadata.num_columns, source)
            return cls._of(source, list(file.schema_arrow.names), batches, part)

    @classmethod
    def of_arrow(cls, source: Source, path: Path, part: int) -> Self:
        """Create the object from an Arrow file, and read the names of its columns.

        Args:
            source: the file.
            path: path of the file.
            part: number of rows in a part; 0 for the usual number.

        Raises:
            SirenaError: the file holds no WHONET table.
        """
        with pa.OSFile(str(path)) as stream:
            refuse_huge_arrow(stream, source)
            names = list(ipc.open_file(stream).schema.names)
        return cls._of(source, names, lambda rows, _: arrow_batches(path, rows), part)

    @classmethod
    def _of(cls, source: Source, names: list[str], batches: Batches, part: int) -> Self:
        refuse_duplicates(names)
        if "" in names:
            raise NeedsWholeFileError  # Polars would give it a name of its own
        refuse_foreign(assign_roles(names), source.name)
        is_long = source.path is not None and source.path.stat().st_size >= _LONG
        return cls(source, names, batches, part or (2 * _ROWS if is_long else _ROWS))

    def number(self, kept_columns: Sequence[str]) -> None:
        """Choose the columns whose texts are read as integer codes: those whose first rows repeat texts.

        Args:
            kept_columns: columns that are always read as codes.
        """
        first = next(self.batches(_LOOKED_AT, ()), None)
        if first is not None:
            first.validate(full=True)
        texts = () if first is None else (name for name in self.names if _repeats(first[name]))
        self.by_texts = {*kept_columns, *texts}

    def parsed_parts(self, engine: Engine) -> Iterator[pa.Table]:
        """Yield each part of the file in order, converted to texts by an engine."""
        by_texts = sorted(self.by_texts)
        return engine.in_turn(partial(_texts, self.source.name, by_texts), self.batches(self.part, by_texts))

    def isolates(self, part: pa.Table) -> pa.Table:
        """Return the isolates of the next part of the file: here all its rows."""
        return part

    def refuse_ragged(self) -> None:
        """Do nothing, since in these formats every row has every column."""

    def kept_names(self) -> list[str]:
        """Return the names of the columns that are kept: here all columns."""
        return self.names

    def table(self, frame: pl.DataFrame) -> RawTable:
        """Return the gathered rows as a `RawTable`, with what is known about the file."""
        return RawTable(frame)


def _repeats(array: pa.Array) -> bool:
    kind = array.type
    if pa.types.is_dictionary(kind):
        return True
    return (_is_text(kind) or pa.types.is_string_view(kind)) and bool(2 * len(array.unique()) < len(array))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _texts(file: str, by_texts: Collection[str], batch: pa.RecordBatch) -> pa.Table:
    batch.validate(full=True)
    try:
        columns = [
            _column(array, name, file, as_numbers=name in by_texts)
            for name, array in zip(batch.schema.names, batch.columns, strict=True)
        ]
    except pl.exceptions.PolarsError as error:
        raise NeedsWholeFileError from error
    return pa.table(columns, names=batch.schema.names)


def _column(array: pa.Array, name: str, file: str, *, as_numbers: bool) -> pa.Array:
    """Return a column as texts, or as numbers of texts; an empty text becomes an empty cell."""
    if pa.types.is_string_view(array.type):
        array = array.cast(pa.large_string())
    elif pa.types.is_dictionary(array.type) and not _is_numbered_text(array.type):
        array = _plain_texts(array, name, file)
    if as_numbers and _is_text(array.type):
        array = array.dictionary_encode()
    if _is_numbered_text(array.type):
        return array if not {"", None}.intersection(array.dictionary.to_pylist()) else _plain_texts(array, name, file)
    if array.type == pa.large_string() and not _holds_empty_texts(array):
        return array
    return _plain_texts(array, name, file)


def _is_numbered_text(kind: pa.DataType) -> bool:
    return pa.types.is_dictionary(kind) and kind.index_type == pa.int32() and _is_text(kind.value_type)


def _plain_texts(array: pa.Array, name: str, file: str) -> pa.Array:
    column = pl.Series(name, pl.from_arrow(array))
    frame = as_texts(column.to_frame(), file).to_arrow(compat_level=pl.CompatLevel.oldest())
    return frame.column(0).combine_chunks()


def _holds_empty_texts(array: pa.Array) -> bool:
    offsets = np.frombuffer(array.buffers()[1], np.int64, len(array) + 1, offset=8 * array.offset)
    return bool(np.count_nonzero(offsets[1:] == offsets[:-1]) > array.null_count)
