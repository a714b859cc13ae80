"""Writing dBASE III tables, which older WHONET installations read.

Every column is a character field as wide as its widest cell. The limits of the format are errors: names of at most ten
plain letters, 255 fields, 254 characters in a cell, 65,535 in a record, and the characters of Windows' code page 1252.
dBASE cannot hold spaces at the end of a cell nor tell an empty cell from a missing one.

Source: "Xbase file format description".
"""

import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.domain.errors import UsageError
from sirena.whonet.headers import printable

_ENCODING: Final = "cp1252"
_DRIVER: Final = 0x03
_LONGEST_NAME: Final = 10
_WIDEST_CELL: Final = 254
_MOST_FIELDS: Final = 255
_WIDEST_RECORD: Final = 65_535
_BATCH: Final = 50_000
_INSTEAD: Final = "Write .sqlite, .csv or .parquet instead, or rename the column."


def write_dbase(frame: pl.DataFrame, path: Path) -> None:
    """Write a table as dBASE III.

    Raises:
        UsageError: the table does not fit the format; the error names the first column, and row, that does not.

    >>> from tempfile import TemporaryDirectory
    >>> from sirena.whonet.reading import read_file
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "2025.dbf")
    ...     write_dbase(pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": ["<=2"]}), path)
    ...     read_file(path).frame.rows()
    [('eco', '<=2')]
    """
    if frame.width > _MOST_FIELDS:
        raise UsageError(
            f"dBASE holds {_MOST_FIELDS} columns and the table has {frame.width}", hint="Write .sqlite or .csv."
        )
    names = _field_names(frame.columns)
    columns = [_encode(column) for column in frame.cast(pl.String)]
    widths = [_width(column) for column in columns]
    record = 1 + sum(widths)
    if record > _WIDEST_RECORD:
        raise UsageError(
            f"a dBASE record holds {_WIDEST_RECORD} characters and one here needs {record}", hint="Write .sqlite."
        )
    with path.open("wb") as stream:
        stream.write(_header(names, widths, frame.height, record))
        for start in range(0, frame.height, _BATCH):
            stream.write(_records([column[start : start + _BATCH] for column in columns], widths))
        stream.write(b"\x1a")


def _field_names(columns: list[str]) -> list[bytes]:
    names: list[bytes] = []
    for column in columns:
        try:
            name = column.encode(_ENCODING)
        except UnicodeEncodeError:
            name = b""
        if not 0 < len(name) <= _LONGEST_NAME or name != name.strip():
            raise UsageError(
                f"dBASE names have 1 to {_LONGEST_NAME} letters, and column {printable(column)} does not fit",
                hint=_INSTEAD,
            )
        names.append(name)
    return names


def _encode(column: pl.Series) -> pl.Series:
    """Return the cells of a column as bytes of code page 1252."""
    cells = column.fill_null("")
    if cells.str.len_bytes().sum() == cells.str.len_chars().sum():
        return cells.cast(pl.Binary)
    distinct = cells.unique()
    cell_bytes: list[bytes] = []
    for text in distinct:
        try:
            cell_bytes.append(text.encode(_ENCODING))
        except UnicodeEncodeError as error:
            row = int((cells == text).arg_true()[0]) + 1
            raise UsageError(
                f"column {printable(column.name)}, record {row}: a character that dBASE's code page 1252 does not have",
                hint="Write .sqlite, .csv or .parquet instead.",
            ) from error
    return cells.replace_strict(distinct, pl.Series(cell_bytes, dtype=pl.Binary), return_dtype=pl.Binary)


def _width(column: pl.Series) -> int:
    sizes = column.bin.size()
    widest = int(sizes.max() or 0)  # type: ignore[arg-type]
    if widest > _WIDEST_CELL:
        row = int(sizes.arg_max() or 0) + 1
        raise UsageError(
            f"column {printable(column.name)}, record {row}: {widest} characters where dBASE holds {_WIDEST_CELL}",
            hint="Write .sqlite, .csv or .parquet instead.",
        )
    return max(1, widest)


def _header(names: list[bytes], widths: list[int], records: int, record: int) -> bytes:
    today = datetime.now(UTC)
    start = 32 + 32 * len(names) + 1
    head = struct.pack("<BBBBIHH", 0x03, today.year - 1900, today.month, today.day, records, start, record)
    head += bytes(17) + bytes([_DRIVER]) + bytes(2)
    for name, width in zip(names, widths, strict=True):
        head += name.ljust(11, b"\0") + b"C" + bytes(4) + bytes([width, 0]) + bytes(14)
    return head + b"\x0d"


def _records(columns: list[pl.Series], widths: list[int]) -> bytes:
    count = len(columns[0])
    block: NDArray[np.uint8] = np.full((count, 1 + sum(widths)), ord(" "), dtype=np.uint8)
    position = 1
    for column, width in zip(columns, widths, strict=True):
        sizes = column.bin.size().to_numpy().astype(np.int64)
        data = np.frombuffer(b"".join(column), dtype=np.uint8)
        rows = np.repeat(np.arange(count), sizes)
        offsets = np.arange(len(data)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        block[rows, position + offsets] = data
        position += width
    return block.tobytes()
