"""Reading a long file in parts, so that only parts are held in memory, while the columns' roles rest on the whole file.

Every decision about a whole column rests on its distinct texts, on whether it is empty, or on its first values. The
first pass gathers these and stores the rows in a `Spool`; `describe_table` then decides from these as it would from the
file. Rules, each with a test of like name:

- the gathered texts give the same description as the file itself;
- a file that is short, of another format, or wrong in any way is left to `reading.read_file`, which reports the
  mistake.

Two kinds are left to it whatever their length: tables with one row per antimicrobial, since an isolate's rows may be
anywhere in the file; and dBASE, SQLite, spreadsheets and FHIR, whose libraries read the whole file.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

from sirena.domain.errors import SirenaError
from sirena.engine import Engine, EngineError
from sirena.engine.local import LOCAL
from sirena.whonet.arrow_file import MAGIC as ARROW_MAGIC
from sirena.whonet.distinct_texts import DistinctTexts
from sirena.whonet.errors import NeedsWholeFileError, NotUtf8Error
from sirena.whonet.file import FileFormat, WhonetFile
from sirena.whonet.headers import ORGANISM_FIELDS, assign_roles
from sirena.whonet.long_format import has_row_per_drug
from sirena.whonet.mapping import LaboratoryMapping
from sirena.whonet.parquet import MAGIC as PARQUET_MAGIC
from sirena.whonet.reading import describe_table, fields_of, find_format
from sirena.whonet.source import Bounds, Source, open_source
from sirena.whonet.spool import Spelling, Spool
from sirena.whonet.streamed_columns import ColumnParts
from sirena.whonet.streamed_text import DelimitedParts
from sirena.whonet.understanding import name_drugs

SHORTEST: Final = 4 * 1024**2
"""Least bytes of a file that is read in parts; a shorter file is answered sooner as a whole."""
_PACKED: Final = 8
"""About how many times longer the text of a gzip, Parquet or packed Arrow file is than the file."""
_FIRST_VALUES: Final = 2_000
"""Number of a column's first values by which its meaning is determined, in the file's order."""
_UNBOUNDED: Final = Bounds(bytes=2**62)
"""No limits, since only parts are held in memory."""
_FEW: Final = 8_000
"""Most distinct texts, of a part and all before it, up to which an optional column is kept as numbers."""
_DATES: Final = ("SPEC_DATE", "DATE_BIRTH", "DATE_ADMIS")
"""Fields of dates; if their distinct texts are kept, the time of day is dropped."""
_WITH_TIME: Final = re.compile(r"\s*(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})[T\s]")
_OF_TEXTS: Final = (*ORGANISM_FIELDS, "SPEC_TYPE", "ORIGIN")
"""Fields whose distinct texts are always kept, in addition to those of the tests."""


@dataclass(frozen=True)
class StreamedFile:
    """A file that was read in parts."""

    file: WhonetFile
    """Roles and structural problems of the whole file; its frame holds only distinct texts and first values."""
    texts: Mapping[str, Sequence[str]]
    """Distinct texts of organisms, specimens, tests and the requested fields, in the order of appearance."""
    spool: Spool
    texts_of_numbers: Mapping[str, Sequence[str]]
    """Texts, by number, of every column that the spool holds as numbers, at least in its first batches."""

    @property
    def height(self) -> int:
        """Number of isolates."""
        return self.spool.height

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Yield the rows part by part; columns with few distinct texts are enumerations, all others String.

        A column of organisms, specimens or a test is always an enumeration of its `texts`.

        Args:
            columns: names of the columns to yield; all if None.
        """
        spelling = self.spelling(columns)
        return (spelling.frame(pa.Table.from_batches([batch])) for batch in self.batches(columns))

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows as stored, part by part; `spelling` converts them to frames, also in another process.

        Args:
            columns: names of the columns to yield; all if None.
        """
        return self.spool.batches(self.file.frame.columns if columns is None else columns)

    def spelling(self, columns: Sequence[str] | None = None) -> Spelling:
        """Return the object that converts each of the `batches` to the frame that `frames` yields.

        Args:
            columns: names of the columns to convert; all if None.
        """
        return self.spool.spelling(self.texts_of_numbers, self.file.frame.columns if columns is None else columns)


@contextmanager
def streamed(
    path: Path | str,
    folder: Path,
    mapping: LaboratoryMapping | None = None,
    *,
    shortest: int = SHORTEST,
    part: int = 0,
    by_texts: Sequence[str] = (),
    engine: Engine = LOCAL,
) -> Iterator[StreamedFile | None]:
    r"""Read a long file in parts, for a ``with`` block; the block gets None if the file must be read as a whole.

    Args:
        path: the file.
        folder: folder for the temporary file of its rows.
        mapping: what the laboratory says about its columns.
        shortest: size in bytes from which a file is read in parts.
        part: size of a part in bytes, or in rows; 0 for the usual size.
        by_texts: further fields whose distinct texts are kept, as those of organisms, specimens and tests are; a date
            among them is kept without its time of day.
        engine: engine that parses the parts.

    Raises:
        UnreadableFileError: a row of a text has another number of cells than the header.
        EngineError: the engine failed.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "2025.csv")
    ...     _ = path.write_text("ORGANISM,AMK_NM\neco,4\nkpn,4\n")
    ...     with streamed(path, Path(folder), shortest=0) as file:
    ...         file.height, file.texts["ORGANISM"], file.texts["AMK_NM"]
    (2, ['eco', 'kpn'], ['4'])
    """
    if not _is_long(path, shortest):
        yield None
        return
    _keep_freed_memory()
    source = open_source(path, _UNBOUNDED)
    for may_be_utf8 in (True, False):
        with Spool(folder) as spool:
            try:
                open_parts = partial(_parts, source, Path(path), part, may_be_utf8)
                rows = _read_parts(
                    source, Path(path), spool, mapping or LaboratoryMapping(), open_parts, by_texts, engine
                )
            except NotUtf8Error:
                continue
            yield rows
            return


def shortest_for(engine: Engine) -> int:
    """Return the size in bytes from which an engine works on a file in parts; on a Ray cluster every file is.

    >>> shortest_for(LOCAL) // 1024**2
    4
    """
    return SHORTEST if engine is LOCAL else 0


def _keep_freed_memory() -> None:
    """Have Arrow take memory by jemalloc, where Arrow was built with it.

    Arrow's own choice, mimalloc, gives the memory of each part back to the system, which clears it for the next part:
    a tenth of the time that a long Parquet file takes.
    """
    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())


def _is_long(path: Path | str, shortest: int = SHORTEST) -> bool:
    """Tell whether a file is long enough to be read in parts.

    Args:
        path: the file; standard input and pipes never are.
        shortest: size in bytes from which a file is long.
    """
    path = Path(path)
    if str(path) == "-" or not path.is_file():
        return False
    size = path.stat().st_size
    if size >= shortest or size * _PACKED < shortest:
        return size >= shortest
    try:
        source = open_source(path, _UNBOUNDED)
    except SirenaError:
        return False
    return source.is_packed or source.head.startswith((PARQUET_MAGIC, ARROW_MAGIC))


def _read_parts(
    source: Source,
    path: Path,
    spool: Spool,
    mapping: LaboratoryMapping,
    open_parts: Callable[[FileFormat], DelimitedParts | ColumnParts],
    by_texts: Sequence[str],
    engine: Engine,
) -> StreamedFile | None:
    try:
        file_format = find_format(source)
        parts = open_parts(file_format)
        kept_columns = _columns_by_texts(parts.names, mapping, (*_OF_TEXTS, *by_texts))
        dates = _of_fields(parts.names, mapping, set(_DATES) & set(by_texts))
        texts_of_numbers, firsts = _gather(parts, spool, kept_columns, dates, engine)
    except EngineError:
        raise
    except (NeedsWholeFileError, SirenaError, pa.ArrowException, OSError):
        return None
    parts.refuse_ragged()
    try:
        if not spool.height:
            return None
        texts = {name: texts_of_numbers[name] for name in kept_columns}
        table = parts.table(_frame_of_values(parts.kept_names(), {**texts, **firsts}))
        return StreamedFile(describe_table(path, file_format, table, mapping), texts, spool, texts_of_numbers)
    except (NeedsWholeFileError, SirenaError):
        return None


def _parts(
    source: Source, path: Path, part: int, may_be_utf8: bool, file_format: FileFormat
) -> DelimitedParts | ColumnParts:
    if file_format is FileFormat.DELIMITED:
        return DelimitedParts.of(source, path, part, may_be_utf8=may_be_utf8)
    if file_format is FileFormat.PARQUET and not source.is_packed:
        return ColumnParts.of_parquet(source, path, part)
    if file_format is FileFormat.ARROW and not source.is_packed:
        return ColumnParts.of_arrow(source, path, part)
    raise NeedsWholeFileError


def _gather(
    parts: DelimitedParts | ColumnParts, spool: Spool, kept_columns: Sequence[str], dates: Sequence[str], engine: Engine
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Store the rows in a spool; return the texts of the columns stored as numbers, and the first values of the others.

    Args:
        parts: parts of the file.
        spool: the spool.
        kept_columns: columns whose distinct texts are kept, however many there are.
        dates: those of `kept_columns` whose time of day is dropped.
        engine: engine that parses the parts.
    """
    if has_row_per_drug(parts.names):
        raise NeedsWholeFileError
    distinct = {name: DistinctTexts(_day_of if name in dates else str) for name in parts.names}
    firsts: dict[str, list[str]] = {name: [] for name in parts.names if name not in kept_columns}
    parts.number(kept_columns)
    for part in parts.parsed_parts(engine):
        isolates = parts.isolates(part)
        if not isolates.num_rows:
            continue
        columns = []
        for name in parts.names:
            column = _whole(isolates[name])
            is_numbered = pa.types.is_dictionary(column.type)
            if name in kept_columns:
                column = distinct[name].encode(column if is_numbered else column.dictionary_encode())
            else:
                if len(firsts[name]) < _FIRST_VALUES and column.null_count < len(column):
                    firsts[name] += column.drop_null()[: _FIRST_VALUES - len(firsts[name])].to_pylist()
                if is_numbered:
                    column = _as_numbers(column, distinct[name])
                    if not pa.types.is_integer(column.type):
                        parts.by_texts.discard(name)
            columns.append(column)
        spool.add(pa.record_batch(columns, names=parts.names))
    return {name: distinct_texts.texts for name, distinct_texts in distinct.items()}, firsts


def _as_numbers(column: pa.DictionaryArray, distinct: DistinctTexts) -> pa.Array:
    """Return a column as numbers while it has few distinct texts, else as text."""
    few = len(column.dictionary) + len(distinct) <= _FEW
    return distinct.encode(column) if few else column.dictionary_decode()


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def _columns_by_texts(names: list[str], mapping: LaboratoryMapping, by_texts: Sequence[str]) -> list[str]:
    roles = assign_roles(names)
    text_columns = {*roles.test_columns, *name_drugs(names, roles, mapping), *_of_fields(names, mapping, by_texts)}
    return [name for name in names if name in text_columns]


def _of_fields(names: list[str], mapping: LaboratoryMapping, shorts: Collection[str]) -> list[str]:
    fields = fields_of(names, assign_roles(names), mapping)
    return [name for name in names if name in fields and fields[name].short in shorts]


def _day_of(text: str) -> str:
    """Return a date without its time of day, so that a column has few distinct texts."""
    match = _WITH_TIME.match(text)
    return match[1] if match else text


def _frame_of_values(names: Sequence[str], values: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    height = max((len(values[name]) for name in names), default=0)
    columns = (pl.Series(name, values[name], dtype=pl.String) for name in names)
    return pl.DataFrame([column.extend_constant(None, height - len(column)) for column in columns])
