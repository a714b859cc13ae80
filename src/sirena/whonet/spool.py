"""Rows that were read once and are answered later, on disk and without a name: when the program ends, they are gone.

A column of few texts is kept as numbers, its texts beside them, so that they need not be looked at again.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
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
        self._sizes: list[int] = []
        self._schema: pa.Schema | None = None
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
        self._schema = batch.schema
        content = batch.serialize()
        self._file.write(content)
        self._sizes.append(content.size)
        self.height += batch.num_rows

    def frames(self, texts: Mapping[str, Sequence[str]], columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Yield the batches, once all are added; again is possible.

        Args:
            texts: of each column that holds numbers, its texts by number; it comes back as an enumeration of them.
            columns: names of those wanted, in order.
        """
        enumerations = {name: pl.Enum(list(held)) for name, held in texts.items()}
        offset = 0
        for size in self._sizes:
            self._file.seek(offset)
            batch = ipc.read_record_batch(pa.py_buffer(self._file.read(size)), self._schema)
            offset += size
            frame = pl.DataFrame(pl.from_arrow(batch.select(list(columns)), rechunk=False))
            yield frame.with_columns(
                _spelt(frame[name], enumerations[name]) for name in columns if name in enumerations
            )


def _spelt(numbers: pl.Series, texts: pl.Enum) -> pl.Series:
    # an enumeration of nothing is none
    return numbers.cat.to(texts) if texts.categories.len() else numbers.cast(pl.String)
