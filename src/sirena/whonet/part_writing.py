"""Writing a long table part by part, with the same result as `writing.write_file` of the whole table.

Rules, each with a test of like name:

- text is the same byte for byte, also inside gzip; Parquet and Arrow hold the same table, in other row groups;
- one part is converted while another is written, so that two processor cores have work;
- a letter that the encoding lacks is met when the first part with one is converted: the caller begins again.
"""

import codecs
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import polars as pl
import pyarrow as pa

from sirena.whonet.arrow_file import ArrowPartWriter
from sirena.whonet.csv_style import CsvStyle, with_decimal_commas
from sirena.whonet.parquet_writing import ParquetPartWriter
from sirena.whonet.writing import find_suffix, replacing, standard_output

_ARROW: Final = (".arrow", ".feather")
SUFFIXES: Final = (".csv", ".csv.gz", ".tsv", ".txt", ".parquet", *_ARROW)
"""Suffixes of the formats that are written part by part."""
PLAIN: Final = CsvStyle()


def is_written_in_parts(path: Path | str) -> bool:
    """Tell whether a file's format can be written part by part, by its suffix.

    >>> is_written_in_parts("answers.csv"), is_written_in_parts("answers.xlsx")
    (True, False)
    """
    return find_suffix(path) in SUFFIXES


class PartWriter(Protocol):
    """Appends converted parts of a table to a file, in order."""

    @property
    def spell(self) -> Callable[[pl.DataFrame, bool], Any]:
        """Function that converts a part of the table for `append`; its second argument is True for the first part."""

    def append(self, spelt: Any) -> None:
        """Append a converted part of the table to the file."""


@dataclass(frozen=True)
class _TextWriter:
    stream: BinaryIO
    spell: Callable[[pl.DataFrame, bool], pa.Buffer]

    def append(self, spelt: Any) -> None:
        self.stream.write(spelt)


def _as_text(style: CsvStyle, part: pl.DataFrame, first: bool) -> pa.Buffer:
    """Return a part as text, in an Arrow buffer, which can be sent to another process without copying."""
    if style.decimal_comma:
        part = with_decimal_commas(part)
    content = BytesIO()
    part.write_csv(content, separator=style.separator, include_header=first)
    encoding = style.encoding
    if encoding == "utf-8":
        return pa.py_buffer(content.getvalue())
    if encoding == "utf-8-sig":
        return pa.py_buffer((codecs.BOM_UTF8 if first else b"") + content.getvalue())
    mark = b""
    if first and encoding.startswith("utf-16"):
        mark = codecs.BOM_UTF16_LE if encoding == "utf-16-le" else codecs.BOM_UTF16_BE
    return pa.py_buffer(mark + content.getvalue().decode().encode(encoding))


def _as_packed_text(part: pl.DataFrame, first: bool) -> pa.Buffer:
    """Return a part as a gzip member of its own: members one after another are one gzip file (RFC 1952).

    Polars packs in two thirds of zlib's time, and its header bears no name and no time: the same table always gives the
    same bytes.
    """
    content = BytesIO()
    part.write_csv(content, include_header=first, compression="gzip")
    return pa.py_buffer(content.getvalue())


@contextmanager
def writing_parts(path: Path | str, style: CsvStyle | None) -> Iterator[PartWriter]:
    """Open a writer for a ``with`` block; the file is put in place only if the block ends without an error.

    Args:
        path: destination, with one of `SUFFIXES`; ``-`` is CSV on standard output.
        style: how a ``.csv`` is written; with commas in UTF-8 if None.

    Raises:
        UnavailableFileError: the folder is missing, not writable or full.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with writing_parts(path := Path(folder, "2025.csv"), style=None) as writer:
    ...         for mic in ("4", "8"):
    ...             writer.append(writer.spell(pl.DataFrame({"AMK_NM": [mic]}), mic == "4"))
    ...     path.read_text().split()
    ['AMK_NM', '4', '8']
    """
    suffix = find_suffix(path)
    if str(path) == "-":
        with standard_output():
            yield _TextWriter(sys.stdout.buffer, partial(_as_text, PLAIN))
        return
    with replacing(Path(path)) as temporary:
        if suffix == ".parquet":
            writer = ParquetPartWriter(temporary)
            try:
                yield writer
                writer.close()
            finally:
                writer.abandon()
            return
        if suffix in _ARROW:
            arrow = ArrowPartWriter(temporary)
            yield arrow
            arrow.close()
            return
        with temporary.open("wb") as raw:
            if suffix == ".csv.gz":
                yield _TextWriter(raw, _as_packed_text)
            elif suffix == ".csv":
                yield _TextWriter(raw, partial(_as_text, style or PLAIN))
            else:
                yield _TextWriter(raw, partial(_as_text, CsvStyle("\t")))
