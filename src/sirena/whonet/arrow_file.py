"""Arrow files (IPC, also called Feather): read as a whole or batch by batch, and written part by part."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc

from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.file import RawTable
from sirena.whonet.parquet import raw_table, refuse_huge
from sirena.whonet.source import Source

MAGIC: Final = b"ARROW1\0\0"
_COMPRESSION: Final = "lz4"
"""Compression that pandas and R use; every reader of Arrow files understands it."""
_ROWS_OF_A_BATCH: Final = 50_000
"""Rows of one batch; a reader unpacks a batch as a whole."""


def read_arrow(source: Source) -> RawTable:
    """Read an Arrow file; numbers become the text a laboratory would write.

    Raises:
        UnreadableFileError: the file is damaged, has a column of lists or structures, no WHONET header or no isolates.
        DuplicateColumnsError: two columns have one meaning.

    >>> from tempfile import TemporaryDirectory
    >>> from sirena.whonet.source import open_source
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "2025.arrow")
    ...     write_arrow(pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": [4.0]}), path)
    ...     read_arrow(open_source(path)).frame.rows()
    [('eco', '4')]
    """
    try:
        with _open_file(source) as stream:
            refuse_huge_arrow(stream, source)
            table = ipc.open_file(stream).read_all()
            table.validate(full=True)
            return raw_table(table, source)
    except (pa.ArrowException, OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise UnreadableFileError(
            f"{source.name}: the Arrow file is damaged or cut off", hint="Copy or write it again."
        ) from error


def _open_file(source: Source) -> pa.NativeFile:
    return pa.OSFile(str(source.path)) if source.path else pa.BufferReader(source.content())


def refuse_huge_arrow(stream: pa.NativeFile, source: Source) -> None:
    """Raise an error if an Arrow file holds too many cells, before the cells are unpacked.

    Raises:
        UnreadableFileError: the file holds more cells than the source's bounds allow.

    >>> from io import BytesIO
    >>> from sirena.whonet.source import Bounds, source_of
    >>> pl.DataFrame({"ORGANISM": ["eco"] * 1_001}).write_ipc(stream := BytesIO())
    >>> source = source_of(BytesIO(stream.getvalue()), "2025.arrow", Bounds(cells=1_000))
    >>> refuse_huge_arrow(pa.BufferReader(stream.getvalue()), source)
    Traceback (most recent call last):
    sirena.whonet.errors.UnreadableFileError: 2025.arrow: holds more than 1,000 cells
    """
    columns = len(ipc.open_file(stream).schema)
    if columns:
        file = ipc.open_file(stream, options=ipc.IpcReadOptions(included_fields=[0]))
        rows = sum(file.get_batch(number).num_rows for number in range(file.num_record_batches))
        refuse_huge(rows * columns, source)


def arrow_batches(path: Path, rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows of an Arrow file in batches.

    Args:
        path: the file. It is not memory-mapped, since the process would die if somebody shortened the file meanwhile.
        rows: maximum number of rows in a batch.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "2025.arrow")
    ...     write_arrow(pl.DataFrame({"ORGANISM": ["eco", "kpn", "sau"]}), path)
    ...     [batch.num_rows for batch in arrow_batches(path, rows=2)]
    [2, 1]
    """
    with pa.OSFile(str(path)) as stream:
        file = ipc.open_file(stream)
        for number in range(file.num_record_batches):
            batch = file.get_batch(number)
            for start in range(0, batch.num_rows, rows):
                yield batch.slice(start, rows)


def write_arrow(frame: pl.DataFrame, path: Path) -> None:
    """Write a table as an Arrow file.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "2025.arrow")
    ...     write_arrow(pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": ["<=2"]}), path)
    ...     pl.read_ipc(path).rows()
    [('eco', '<=2')]
    """
    frame.write_ipc(
        path, compression=_COMPRESSION, compat_level=pl.CompatLevel.oldest(), record_batch_size=_ROWS_OF_A_BATCH
    )


class ArrowPartWriter:
    """Appends parts of a table to an Arrow file."""

    def __init__(self, path: Path) -> None:
        """Set the file's path.

        Args:
            path: path of the file, which is created with the first part.
        """
        self._path = path
        self._writer: ipc.RecordBatchFileWriter | None = None

    @property
    def spell(self) -> Callable[[pl.DataFrame, bool], pa.Table]:
        """The function that prepares a part of the table for `append` (see `PartWriter`); enumerations become texts."""
        return _as_table

    def append(self, spelt: Any) -> None:
        """Append a prepared part of the table to the file; all parts have the same columns."""
        if self._writer is None:
            self._writer = ipc.new_file(self._path, spelt.schema, options=ipc.IpcWriteOptions(compression=_COMPRESSION))
        self._writer.write_table(spelt)

    def close(self) -> None:
        """Complete the file."""
        if self._writer is not None:
            self._writer.close()


def _as_table(part: pl.DataFrame, first: bool) -> pa.Table:  # noqa: ARG001 - every part has a header
    table = part.to_arrow(compat_level=pl.CompatLevel.oldest())
    return pa.table([_texts(column) for column in table.columns], names=table.column_names)


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_dictionary(column.type):
        return column
    return pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], column.type.value_type)
