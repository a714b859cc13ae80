"""Reading Parquet files as a whole."""

from io import BytesIO
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as parquet

from sirena.whonet.errors import UnreadableFileError, no_rows
from sirena.whonet.file import RawTable
from sirena.whonet.headers import assign_roles, refuse_duplicates, refuse_foreign
from sirena.whonet.numbers import spell_numbers
from sirena.whonet.source import Source

MAGIC: Final = b"PAR1"


def read_parquet(source: Source) -> RawTable:
    """Read a Parquet table; numbers become the text a laboratory would write.

    Raises:
        UnreadableFileError: the file is damaged, has a column of lists or structures, no WHONET header or no isolates.
        DuplicateColumnsError: two columns have one meaning.

    >>> from sirena.whonet.source import source_of
    >>> stream = BytesIO()
    >>> pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": [0.5]}).write_parquet(stream)
    >>> read_parquet(source_of(BytesIO(stream.getvalue()), "2025.parquet")).frame.rows()
    [('eco', '0.5')]
    """
    try:
        # Arrow's reader answers a damaged file with an error; Polars' own ends the thread and prints its stack.
        with parquet.ParquetFile(source.path or BytesIO(source.content())) as file:
            refuse_huge(file.metadata.num_rows * file.metadata.num_columns, source)
            table = file.read()
            table.validate(full=True)
            return raw_table(table, source)
    except (pa.ArrowException, OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise UnreadableFileError(
            f"{source.name}: the Parquet file is damaged or cut off", hint="Copy or write it again."
        ) from error


def raw_table(table: pa.Table, source: Source) -> RawTable:
    """Return an Arrow table as the `RawTable` of a file.

    Raises:
        UnreadableFileError: there is a column of lists or structures, no WHONET header, or no isolates.
        DuplicateColumnsError: two columns have one meaning.

    >>> from sirena.whonet.source import source_of
    >>> source = source_of(BytesIO(b"PAR1"), "2025.parquet")
    >>> raw_table(pa.table({"ORGANISM": ["eco"], "AMK_NM": [4.0]}), source).frame.rows()
    [('eco', '4')]
    """
    refuse_duplicates(table.column_names)
    frame = pl.DataFrame(pl.from_arrow(table.rename_columns(table.column_names)))
    refuse_foreign(assign_roles(frame.columns), source.name)
    if frame.is_empty():
        raise no_rows(source.name)
    return RawTable(as_texts(frame, source.name))


def refuse_huge(cells: int, source: Source) -> None:
    """Raise an error if a table has too many cells. They are counted first, as repeated cells unpack without limit.

    Raises:
        UnreadableFileError: the table has more cells than the source's bounds allow.

    >>> from sirena.whonet.source import Bounds, source_of
    >>> refuse_huge(2_000, source_of(BytesIO(b"PAR1"), "2025.parquet", Bounds(cells=1_000)))
    Traceback (most recent call last):
    sirena.whonet.errors.UnreadableFileError: 2025.parquet: holds more than 1,000 cells
    """
    most = source.bounds.cells
    if cells > most:
        raise UnreadableFileError(f"{source.name}: holds more than {most:,} cells", hint="Split it by year.")


def as_texts(frame: pl.DataFrame, file: str) -> pl.DataFrame:
    """Return a frame with every column converted to texts, null for empty cells.

    Raises:
        UnreadableFileError: a column holds lists, structures or objects.

    >>> as_texts(pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": [0.5]}), "a.parquet").row(0)
    ('eco', '0.5')
    """
    return frame.select(_texts(column, file) for column in frame)


def _texts(column: pl.Series, file: str) -> pl.Series:
    kind = column.dtype
    if kind.is_nested() or kind == pl.Object:
        raise UnreadableFileError(
            f"{file}: column {column.name} holds lists or structures", hint="Write one plain value to a cell."
        )
    if kind == pl.Binary:
        column = column.cast(pl.String, strict=False)
    elif kind == pl.Decimal:
        column = spell_numbers(column.cast(pl.Float64))
    elif kind.is_numeric():
        column = spell_numbers(column)
    elif kind == pl.Datetime:
        column = column.dt.to_string("%Y-%m-%d %H:%M:%S").str.replace(r" 00:00:00$", "")
    elif kind == pl.Duration:
        column = column.dt.to_string("iso")
    elif kind != pl.String:
        column = column.cast(pl.String)
    return column.set(column == "", None)
