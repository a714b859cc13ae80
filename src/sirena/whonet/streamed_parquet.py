"""A long Parquet file as the parts of a table; see `parquet`, which reads one as a whole."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Self

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as parquet

from sirena.engine import Engine
from sirena.whonet.errors import NeedsWholeFileError
from sirena.whonet.file import RawTable
from sirena.whonet.headers import assign_roles, refuse_duplicates, refuse_foreign
from sirena.whonet.parquet import as_texts, refuse_huge
from sirena.whonet.source import Source

_ROWS: Final = 40_000
_LOOKED_AT: Final = 4_000
"""Rows by which it is told whether a column repeats."""


@dataclass
class ParquetParts:
    """The parts of one Parquet file."""

    source: Source
    path: Path
    names: list[str]
    """Of its columns, in order."""
    part: int
    by_texts: set[str] = field(default_factory=set)
    """Columns that are wanted as numbers of texts, as the file holds them."""

    @classmethod
    def of(cls, source: Source, path: Path, part: int) -> Self:
        """Look at a file's columns.

        Args:
            source: the file.
            path: where it lies.
            part: rows of a part; 0 chooses.

        Raises:
            SirenaError: it holds no table of WHONET's.
        """
        with parquet.ParquetFile(path) as file:
            refuse_huge(file.metadata, source)
            names = list(file.schema_arrow.names)
        refuse_duplicates(names)
        refuse_foreign(assign_roles(names), source.name)
        return cls(source, path, names, part or _ROWS)

    def number(self, kept: Sequence[str]) -> None:
        """Choose the columns that are read as numbers of texts: those whose first rows repeat.

        Args:
            kept: those that are wanted so, whatever stands in them.
        """
        with parquet.ParquetFile(self.path) as file:
            first = next(file.iter_batches(_LOOKED_AT), None)
        texts = () if first is None else (name for name in self.names if _repeats(first[name]))
        self.by_texts = {*kept, *texts}

    def parsed(self, engine: Engine) -> Iterator[pa.Table]:
        """Yield the texts of each part, made by an engine, in order."""
        with parquet.ParquetFile(self.path, read_dictionary=list(self.by_texts)) as file:
            yield from engine.in_turn(partial(_texts, self.source.name), file.iter_batches(self.part))

    def isolates(self, part: pa.Table) -> pa.Table:
        """Return the isolates of the next part: all its rows."""
        return part

    def refuse_ragged(self) -> None:
        """Do nothing: every row has every column."""

    def kept(self) -> list[str]:
        """Return the names of the columns that stay: all."""
        return self.names

    def table(self, gathered: pl.DataFrame) -> RawTable:
        """Return what is known of the table."""
        return RawTable(gathered)


def _repeats(array: pa.Array) -> bool:
    texts = pa.types.is_string(array.type) or pa.types.is_large_string(array.type)
    return texts and 2 * len(array.unique()) < len(array)


def _texts(file: str, batch: pa.RecordBatch) -> pa.Table:
    batch.validate(full=True)
    try:
        columns = [_column(array, name, file) for name, array in zip(batch.schema.names, batch.columns, strict=True)]
    except pl.exceptions.PolarsError as error:
        raise NeedsWholeFileError from error
    return pa.table(columns, names=batch.schema.names)


def _column(array: pa.Array, name: str, file: str) -> pa.Array:
    """Return a column of texts, or of numbers of texts; an empty text is an empty cell."""
    if pa.types.is_dictionary(array.type) and not {"", None}.intersection(array.dictionary.to_pylist()):
        return array
    if array.type == pa.large_string() and not _holds_empty_texts(array):
        return array
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    column = pl.Series(name, pl.from_arrow(array))
    frame = as_texts(column.to_frame(), file).to_arrow(compat_level=pl.CompatLevel.oldest())
    return frame.column(0).combine_chunks()


def _holds_empty_texts(array: pa.Array) -> bool:
    offsets = np.frombuffer(array.buffers()[1], np.int64, len(array) + 1, offset=8 * array.offset)
    return bool(np.count_nonzero(offsets[1:] == offsets[:-1]) > array.null_count)
