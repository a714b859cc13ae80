"""Rows that were read once and are answered later, on disk and without a name: when the program ends, they are gone.

A column of few texts is kept as numbers, so that they need not be looked at again; who gave them knows the texts.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc


class Spool:
    """Batches of rows, all of the same columns."""

    def __init__(self, folder: Path) -> None:
        """Make the file.

        Args:
            folder: where; the file has no name there.
        """
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with the spool
        self._batches: list[tuple[int, pa.Schema]] = []
        """Bytes and columns of each; its numbers may be longer than those of the one before."""
        self.height = 0
        """Rows so far."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, batch: pa.RecordBatch) -> None:
        """Append a batch."""
        content = batch.serialize()
        self._file.write(content)
        self._batches.append((content.size, batch.schema))
        self.height += batch.num_rows

    def batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Yield the batches, once all are added; again is possible.

        Args:
            columns: names of those wanted, in order.
        """
        offset = 0
        for size, schema in self._batches:
            self._file.seek(offset)
            yield ipc.read_record_batch(pa.py_buffer(self._file.read(size)), schema).select(list(columns))
            offset += size

    def spelling(self, texts: Mapping[str, Sequence[str]], columns: Sequence[str]) -> "Spelling":
        """Return what makes tables of the batches, once all are added.

        Args:
            texts: of each column that holds numbers, its texts by number; it becomes an enumeration of them, or text
                where another batch has the column as text.
            columns: names of those wanted.
        """
        plain = {field.name for _, schema in self._batches for field in schema if not pa.types.is_integer(field.type)}
        return Spelling({name: pl.Enum(list(texts[name])) for name in columns if name in texts}, frozenset(plain))


@dataclass(frozen=True)
class Spelling:
    """Makes tables of batches; may be sent to another process."""

    enumerations: Mapping[str, pl.Enum]
    """Of each column that holds numbers, its texts."""
    plain: frozenset[str]
    """Columns that are text in some batch, and so in every table."""

    def frame(self, batch: pa.RecordBatch) -> pl.DataFrame:
        """Return the rows of a batch."""
        frame = pl.DataFrame(pl.from_arrow(batch, rechunk=False))
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
