"""Writing Parquet files part by part, with the columns of each part compressed on all processor cores.

Polars' streaming engine compresses the columns of a part at the same time; Arrow's writer compresses one after another.
The engine runs in a thread of its own, takes the parts from a queue, and writes enumerations by their existing integer
codes.
"""

import struct
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from queue import Full, Queue
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as parquet
from polars.io.plugins import register_io_source

_ROW_GROUP: Final = 100_000
"""Rows of a group; longer groups save few bytes and are held in memory."""
_WAITING: Final = 2
"""Most parts that wait to be compressed."""
_PATIENCE: Final = 0.1
"""Seconds between two checks whether the compressing thread has failed, while its queue is full."""
_END: Final = struct.Struct("<I4s")
"""The end of a Parquet file: the length of the footer before it, and the format's mark."""


class ParquetPartWriter:
    """Appends parts of a table to a Parquet file."""

    def __init__(self, path: Path) -> None:
        """Set the file's path.

        Args:
            path: path of the file, which is created with the first part.
        """
        self._path = path
        self._parts: Queue[pl.DataFrame | None] = Queue(_WAITING)
        self._pool = ThreadPoolExecutor(1)
        self._packing: Future[None] | None = None

    @property
    def spell(self) -> Callable[[pl.DataFrame, bool], "SpeltFrame"]:
        """The function that prepares a part of the table for `append` (see `PartWriter`); it only wraps the part."""
        return _as_it_is

    def append(self, spelt: Any) -> None:
        """Append a prepared part of the table to the file; all parts have the same columns.

        Raises:
            OSError: the file cannot be written.
            PolarsError: Polars cannot write the file.
        """
        if self._packing is None:
            self._packing = self._pool.submit(self._pack, spelt.frame.schema)
        self._hand_over(spelt.frame)

    def close(self) -> None:
        """Complete the file.

        Raises:
            OSError: the file cannot be written.
            PolarsError: Polars cannot write the file.
        """
        if self._packing is not None:
            self._hand_over(None)
            self._packing.result()
            _write_texts_as_texts(self._path)
        self._pool.shutdown()

    def abandon(self) -> None:
        """Stop compressing a file that is no longer wanted."""
        if self._packing is not None:
            while not self._packing.done():
                try:
                    self._parts.put(None, timeout=_PATIENCE)
                except Full:
                    continue
                break
        self._pool.shutdown()

    def _hand_over(self, part: pl.DataFrame | None) -> None:
        assert self._packing is not None
        while True:
            try:
                self._parts.put(part, timeout=_PATIENCE)
            except Full:
                if self._packing.done():
                    self._packing.result()
                continue
            return

    def _pack(self, schema: pl.Schema) -> None:
        # the first and last of MICs and letters by the alphabet help nobody, and take a third of the packing
        register_io_source(lambda *_: self._queued_parts(), schema=schema).sink_parquet(
            self._path, row_group_size=_ROW_GROUP, statistics=False
        )

    def _queued_parts(self) -> Iterator[pl.DataFrame]:
        while (part := self._parts.get()) is not None:
            yield part


@dataclass(frozen=True)
class SpeltFrame:
    """Rows of a file that are ready to be written, and can be sent from one process to another.

    They are sent as an Arrow table: Polars cannot read back its own pickle of an Enum column whose null cells hold
    codes outside the enumeration.
    """

    frame: pl.DataFrame

    def __reduce__(self) -> tuple[Callable[[pa.Table], "SpeltFrame"], tuple[pa.Table]]:
        """Return the function and the argument that make the part again in another process."""
        return _of_arrow, (self.frame.to_arrow(),)


def _of_arrow(table: pa.Table) -> SpeltFrame:
    return SpeltFrame(pl.DataFrame(pl.from_arrow(table, rechunk=False)))


def _as_it_is(part: pl.DataFrame, first: bool) -> SpeltFrame:  # noqa: ARG001 - every part has a header
    return SpeltFrame(part)


def _write_texts_as_texts(path: Path) -> None:
    """Replace the footer of a file by one that declares its enumerations as plain texts.

    The enumerations of two files are different types, so no reader could concatenate the files.
    """
    metadata = parquet.read_metadata(path)
    schema = pa.schema([(name, pa.string()) for name in metadata.schema.names])
    plain = BytesIO()
    parquet.write_metadata(schema, plain, metadata_collector=[metadata], store_schema=False)
    with path.open("r+b") as stream:
        stream.seek(-_END.size, 2)
        stream.seek(-_footer_size(stream.read()), 2)
        stream.truncate()
        content = plain.getvalue()
        stream.write(content[-_footer_size(content) :])


def _footer_size(content: bytes) -> int:
    """Return the number of bytes of the footer at the end of a Parquet file."""
    length, _ = _END.unpack(content[-_END.size :])
    return int(length) + _END.size
