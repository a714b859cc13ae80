"""Rows that were read once and are answered later, on disk and without a name: when the program ends, they are gone.

A column of few texts is kept as numbers, so that they need not be looked at again; who gave them knows the texts.
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
    """Where rows lie that were added together."""

    offset: int
    size: int
    columns: pa.Schema
    """Its numbers may be longer than those of the batch before."""
    share: int


class Spool:
    """Batches of rows, all of the same columns."""

    def __init__(self, folder: Path) -> None:
        """Make the file.

        Args:
            folder: where; the file has no name there.
        """
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with the spool
        self._batches: list[_Batch] = []
        self.height = 0
        """Rows so far."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, batch: pa.RecordBatch, share: int = 0) -> None:
        """Append a batch; not any more once they are read.

        Args:
            batch: the rows.
            share: which of several sets of rows they are of.
        """
        content = batch.serialize()
        self._file.write(content)
        offset = self._batches[-1].offset + self._batches[-1].size if self._batches else 0
        self._batches.append(_Batch(offset, content.size, batch.schema, share))
        self.height += batch.num_rows

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the batches, once all are added; again is possible.

        Args:
            columns: names of those wanted, in order.
        """
        return (self._read(batch, columns) for batch in self._batches)

    def shares(self, columns: Sequence[str]) -> Iterator[list[pa.Table]]:
        """Yield the rows of one share after another, each in as few tables as may be.

        Args:
            columns: as for `batches`.
        """
        for _, own in groupby(sorted(self._batches, key=lambda batch: batch.share), key=lambda batch: batch.share):
            alike = groupby(own, key=lambda batch: batch.columns)
            yield [pa.Table.from_batches([self._read(batch, columns) for batch in batches]) for _, batches in alike]

    def deal(
        self,
        into: "Spool",
        share_of: Callable[[pl.DataFrame], pl.Series],
        spelling: "Spelling",
        columns: Sequence[str],
    ) -> None:
        """Lay down all rows in another spool, each in its share, in their order.

        Args:
            into: the other.
            share_of: gives the share of each row of a frame.
            spelling: makes the frames.
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

    def _read(self, batch: _Batch, columns: Sequence[str]) -> pa.RecordBatch:
        self._file.seek(batch.offset)
        content = self._file.read(batch.size)
        return ipc.read_record_batch(pa.py_buffer(content), batch.columns).select(list(columns))

    def spelling(self, texts: Mapping[str, Sequence[str]], columns: Sequence[str]) -> "Spelling":
        """Return what makes frames of the rows, once all are added.

        Args:
            texts: of each column that holds numbers, its texts by number; it becomes an enumeration of them, or text
                where another batch has the column as text.
            columns: names of those wanted.
        """
        plain = frozenset(
            field.name for batch in self._batches for field in batch.columns if not pa.types.is_integer(field.type)
        )
        return Spelling({name: pl.Enum(list(texts[name])) for name in columns if name in texts}, plain)


@dataclass(frozen=True)
class Spelling:
    """Of which texts the numbers of columns tell; may be sent to another process."""

    enumerations: Mapping[str, pl.Enum]
    plain: frozenset[str]
    """Columns of which a batch holds texts: they are texts in all."""

    def frame(self, rows: pa.Table) -> pl.DataFrame:
        """Return rows as a frame."""
        frame = pl.DataFrame(pl.from_arrow(rows, rechunk=False))
        held = frame.schema
        # all columns in one go: each by itself would wait for a thread
        return frame.with_columns(column for name, column in self._columns.items() if held[name] != pl.String)

    @cached_property
    def _columns(self) -> dict[str, pl.Expr]:
        return {name: _spelt(name, texts, as_text=name in self.plain) for name, texts in self.enumerations.items()}


def _spelt(column: str, texts: pl.Enum, *, as_text: bool) -> pl.Expr:
    numbers = pl.col(column)
    if not texts.categories.len():  # an enumeration of nothing is none
        return numbers.cast(pl.String)
    spelt = numbers.cast(pl.Series([], dtype=texts).to_physical().dtype).cat.to(texts)
    return spelt.cast(pl.String) if as_text else spelt
