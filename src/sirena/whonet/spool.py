"""Rows that were read once and are answered later, on disk and without a name: when the program ends, they are gone.

A column of few texts is kept as numbers, so that they need not be looked at again; who gave them knows the texts.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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

    @property
    def shares(self) -> set[int]:
        """Those that have rows."""
        return {batch.share for batch in self._batches}

    def frames(self, texts: Mapping[str, Sequence[str]], columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Yield the batches, once all are added; again is possible.

        Args:
            texts: of each column that holds numbers, its texts by number; it comes back as an enumeration of them, or
                as text where another batch has the column as text.
            columns: names of those wanted, in order.
        """
        spelling = self._spelling(texts, columns)
        for batch in self._batches:
            yield spelling.frame(pa.Table.from_batches([self._read(batch, columns)]))

    def frames_of_share(
        self, share: int, texts: Mapping[str, Sequence[str]], columns: Sequence[str]
    ) -> Iterator[pl.DataFrame]:
        """Yield the rows of a share in as few frames as may be.

        Args:
            share: which.
            texts: as for `frames`.
            columns: as for `frames`.
        """
        spelling = self._spelling(texts, columns)
        own = (batch for batch in self._batches if batch.share == share)
        for _, alike in groupby(own, key=lambda batch: batch.columns):
            yield spelling.frame(pa.Table.from_batches([self._read(batch, columns) for batch in alike]))

    def deal(
        self,
        into: "Spool",
        share_of: Callable[[pl.DataFrame], pl.Series],
        texts: Mapping[str, Sequence[str]],
        columns: Sequence[str],
    ) -> None:
        """Lay down all rows in another spool, each in its share, in their order.

        Args:
            into: the other.
            share_of: gives the share of each row of a frame.
            texts: as for `frames`.
            columns: as for `frames`.
        """
        spelling = self._spelling(texts, columns)
        for batch in self._batches:
            rows = self._read(batch, columns)
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

    def _spelling(self, texts: Mapping[str, Sequence[str]], columns: Sequence[str]) -> "_Spelling":
        plain = {
            field.name for batch in self._batches for field in batch.columns if not pa.types.is_integer(field.type)
        }
        return _Spelling({name: pl.Enum(list(texts[name])) for name in columns if name in texts}, plain)


@dataclass(frozen=True)
class _Spelling:
    """Of which texts the numbers of columns tell."""

    enumerations: Mapping[str, pl.Enum]
    plain: set[str]
    """Columns of which a batch holds texts: they are texts in all."""

    def frame(self, rows: pa.Table) -> pl.DataFrame:
        frame = pl.DataFrame(pl.from_arrow(rows, rechunk=False))
        # all columns in one go: each by itself would wait for a thread
        return frame.with_columns(
            _spelt(name, kind, as_text=name in self.plain)
            for name, kind in self.enumerations.items()
            if frame.schema[name] != pl.String
        )


def _spelt(column: str, texts: pl.Enum, *, as_text: bool) -> pl.Expr:
    numbers = pl.col(column)
    if not texts.categories.len():  # an enumeration of nothing is none
        return numbers.cast(pl.String)
    spelt = numbers.cast(pl.Series([], dtype=texts).to_physical().dtype).cat.to(texts)
    return spelt.cast(pl.String) if as_text else spelt
