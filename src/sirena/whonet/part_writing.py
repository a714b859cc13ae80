"""Writing a long table part by part: the same file as `writing.write_file` makes of the whole.

Rules, each with a test of like name:

- text is the same, byte for byte, also below gzip; Parquet and Arrow are the same table in groups of their own;
- what is spelt is spelt beside what is written, so that two cores have work;
- a letter that the encoding does not hold shows when the first part with one is spelt: the caller begins again.
"""

import codecs
import struct
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import polars as pl

from sirena.whonet.arrow_file import ArrowPartWriter
from sirena.whonet.csv_style import CsvStyle, with_decimal_commas
from sirena.whonet.parquet_writing import ParquetPartWriter
from sirena.whonet.writing import find_suffix, replacing, standard_output

_ARROW: Final = (".arrow", ".feather")
SUFFIXES: Final = (".csv", ".csv.gz", ".tsv", ".txt", ".parquet", *_ARROW)
"""Suffixes of the formats that are written part by part."""
PLAIN: Final = CsvStyle()
_LEVEL: Final = 6
"""Of gzip."""


def is_written_in_parts(path: Path | str) -> bool:
    """Tell by a file's suffix whether its format can be written one part of the rows after another."""
    return find_suffix(path) in SUFFIXES


class PartWriter(Protocol):
    """Spells parts, in any thread, and appends what was spelt, in order."""

    def spell(self, part: pl.DataFrame, *, first: bool) -> Any:
        """Return a part as it is to be appended; the first has the header."""

    def append(self, spelt: Any) -> None:
        """Append a part."""


@dataclass(frozen=True)
class _TextWriter:
    stream: BinaryIO
    style: CsvStyle

    def spell(self, part: pl.DataFrame, *, first: bool) -> bytes:
        if self.style.decimal_comma:
            part = with_decimal_commas(part)
        content = BytesIO()
        part.write_csv(content, separator=self.style.separator, include_header=first)
        encoding = self.style.encoding
        if encoding == "utf-8":
            return content.getvalue()
        if encoding == "utf-8-sig":
            return (codecs.BOM_UTF8 if first else b"") + content.getvalue()
        mark = b""
        if first and encoding.startswith("utf-16"):
            mark = codecs.BOM_UTF16_LE if encoding == "utf-16-le" else codecs.BOM_UTF16_BE
        return mark + content.getvalue().decode().encode(encoding)

    def append(self, spelt: Any) -> None:
        self.stream.write(spelt)


@dataclass
class _PackedWriter:
    """One gzip stream of which each part is packed by itself, so that two cores pack at once."""

    stream: BinaryIO
    _check: int = 0
    _size: int = 0

    def __post_init__(self) -> None:
        """Begin the stream."""
        # no name and no time in the header: the same table always gives the same bytes
        self.stream.write(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")

    def spell(self, part: pl.DataFrame, *, first: bool) -> tuple[bytes, bytes]:
        text = BytesIO()
        part.write_csv(text, include_header=first)
        pack = zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS)
        return text.getvalue(), pack.compress(text.getvalue()) + pack.flush(zlib.Z_SYNC_FLUSH)

    def append(self, spelt: tuple[bytes, bytes]) -> None:
        text, packed = spelt
        self.stream.write(packed)
        self._check = zlib.crc32(text, self._check)
        self._size += len(text)

    def close(self) -> None:
        self.stream.write(zlib.compressobj(_LEVEL, wbits=-zlib.MAX_WBITS).flush())
        self.stream.write(struct.pack("<II", self._check, self._size % 2**32))


@contextmanager
def writing_parts(path: Path | str, style: CsvStyle | None) -> Iterator[PartWriter]:
    """Give a writer; when the block ends well, the file stands complete in its place, else nothing does.

    Args:
        path: destination, of a suffix of `SUFFIXES`; ``-`` is CSV on standard output.
        style: how a ``.csv`` is written; with commas in UTF-8 when None.

    Raises:
        UnavailableFileError: the folder is missing, not writable or full.
    """
    suffix = find_suffix(path)
    if str(path) == "-":
        with standard_output():
            yield _TextWriter(sys.stdout.buffer, PLAIN)
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
                packer = _PackedWriter(raw)
                yield packer
                packer.close()
            elif suffix == ".csv":
                yield _TextWriter(raw, style or PLAIN)
            else:
                yield _TextWriter(raw, CsvStyle("\t"))
