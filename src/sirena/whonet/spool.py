"""Rows that were read once and are answered later, kept in a temporary file without a name, gone when the program ends.

A column with few distinct texts is kept as integer codes, so that the texts are not processed again; the caller keeps
the texts.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc


@dataclass(frozen=True, slots=True)
class _Batch:
    """Place in the file of rows that were added together."""

    offset: int
    size: int
    columns: pa.Schema
    """Types of the columns; the numbers may be wider than in the batch before."""
    share: int


class Spool:
    """Batches of rows with the same columns, kept in a temporary file."""

    def __init__(self, folder: Path) -> None:
        """Create the temporary file.

        Args:
            folder: folder of the file, which has no name in it.
        """
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with the spool
        self._batches: list[_Batch] = []
        self.height = 0
        """Number of rows added so far."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, batch: pa.RecordBatch, share: int = 0) -> None:
        """Append a batch; call it before any rows are read back.

        Args:
            batch: the rows.
            share: number of the share (a set of rows) that the rows belong to.
        """
        content = batch.serialize()
        self._file.write(content)
        offset = self._batches[-1].offset + self._batches[-1].size if self._batches else 0
        self._batches.append(_Batch(offset, content.size, batch.schema, share))
        self.height += batch.num_rows

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the batches; call it after all were added, as often as needed.

        Args:
            columns: names of the columns to yield, in order.
        """
        return (self._read_batch(batch, columns) for batch in self._batches)

    def shares(self, columns: Sequence[str]) -> Iterator[list[pa.Table]]:
        """Yield the rows of each share (see `add`) in turn, in as few tables as possible.

        Args:
            columns: as for `batches`.
        """
        for _, own in groupby(sorted(self._batches, key=lambda batch: batch.share), key=lambda batch: batch.share):
            alike = groupby(own, key=lambda batch: batch.columns)
            yield [
                pa.Table.from_batches([self._read_batch(batch, columns) for batch in batches]) for _, batches in alike
            ]

    def deal(
        self,
        into: "Spool",
        share_of: Callable[[pl.DataFrame], pl.Series],
        spelling: "Spelling",
        columns: Sequence[str],
    ) -> None:
        """Copy all rows into another spool, each into its share there, in the order they have here.

        Args:
            into: the other spool.
            share_of: returns the share of each row of a frame.
            spelling: converts the rows to the frames that `share_of` takes.
            columns: as for `batches`.
        """
        for rows in self.batches(columns):
            shares = share_of(spelling.frame(pa.Table.from_batches([rows]))).to_numpy()
            order = np.argsort(shares, kind="stable")
            # from buffers, since `pyarrow.array` imports pandas
            sorted_rows = rows.take(pa.Array.from_buffers(pa.int64(), len(order), [None, pa.py_buffer(order)]))
            there, starts = np.unique(shares[order], return_index=True)
            for share, start, end in zip(
                there.tolist(), starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True
            ):
                into.add(sorted_rows.slice(start, end - start), share)

    def _read_batch(self, batch: _Batch, columns: Sequence[str]) -> pa.RecordBatch:
        self._file.seek(batch.offset)
        content = self._file.read(batch.size)
        return ipc.read_record_batch(pa.py_buffer(content), batch.columns).select(list(columns))

    def spelling(self, texts: Mapping[str, Sequence[str]], columns: Sequence[str]) -> "Spelling":
        """Return the object that converts rows to frames; call it after all rows were added.

        Args:
            texts: the texts, in the order of their codes, of each column that holds codes; the column becomes an
                enumeration of these texts, or String if another batch has it as text.
            columns: names of the columns to convert.
        """
        plain = frozenset(
            field.name for batch in self._batches for field in batch.columns if not pa.types.is_integer(field.type)
        )
        return Spelling({name: pl.Enum(list(texts[name])) for name in columns if name in texts}, plain)


@dataclass(frozen=True)
class Spelling:
    """The texts that the integer codes in columns stand for; the object may be sent to another process."""

    enumerations: Mapping[str, pl.Enum]
    plain: frozenset[str]
    """Columns that some batch holds as text; they become text in all batches."""

    def frame(self, rows: pa.Table) -> pl.DataFrame:
        """Return rows as a frame, with texts in place of the codes."""
        frame = pl.DataFrame(pl.from_arrow(rows, rechunk=False))
        schema = frame.schema
        # all columns in one go: each by itself would wait for a thread
        return frame.with_columns(column for name, column in self._columns.items() if schema[name] != pl.String)

    @cached_property
    def _columns(self) -> dict[str, pl.Expr]:
        return {name: _spelt(name, texts, as_text=name in self.plain) for name, texts in self.enumerations.items()}


def _spelt(column: str, texts: pl.Enum, *, as_text: bool) -> pl.Expr:
    numbers = pl.col(column)
    if not texts.categories.len():  # an enumeration of nothing is none
        return numbers.cast(pl.String)
    spelt = numbers.cast(pl.Series([], dtype=texts).to_physical().dtype).cat.to(texts)
    return spelt.cast(pl.String) if as_text else spelt
