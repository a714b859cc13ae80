"""Reading a long delimited text in parts; `delimited` reads one as a whole."""

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, Self

import polars as pl
import pyarrow as pa

from sirena.engine import Engine
from sirena.whonet.delimited import (
    Header,
    find_header,
    line_at,
    look_at_header,
    parse_rows,
    ragged_row,
    with_text_facts,
)
from sirena.whonet.encoding import CodePage, begins_as_utf8, find_encoding_of_parts
from sirena.whonet.errors import NeedsWholeFileError
from sirena.whonet.file import RawTable
from sirena.whonet.header_row import split_line
from sirena.whonet.headers import refuse_duplicates
from sirena.whonet.quotes import LOOKAHEAD, RowLayout
from sirena.whonet.rows import name_columns
from sirena.whonet.source import Source
from sirena.whonet.streamed_rows import StreamedRows
from sirena.whonet.text_parts import PART, TextParts, blocks

_BEGINNING: Final = 2 * LOOKAHEAD
"""Bytes in which the header must be; a text with a longer one is read as a whole."""
Part = tuple[pa.Table, list[tuple[int, int]]]
"""Rows of a part; and row number and cells of those with another number of cells than the header."""


@dataclass
class DelimitedParts:
    """The parts of one text, and what was found in them."""

    source: Source
    text: TextParts
    page: CodePage
    header: Header
    names: list[str]
    """Names of the columns, in order."""
    surplus: list[str]
    """Names for the empty cells made by a delimiter at the end of each line."""
    rows: StreamedRows
    part: int
    by_texts: set[str] = field(default_factory=set)
    """Columns to be dictionary-encoded, as numbers that stand for texts; may become fewer while parts are read."""
    _ragged_rows: list[tuple[int, int]] = field(default_factory=list)
    _rows_read: int = 0

    @classmethod
    def of(cls, source: Source, path: Path, part: int, *, may_be_utf8: bool) -> Self:
        """Create the object from a text file; determine its encoding and find its header.

        Args:
            source: the file.
            path: path of the file.
            part: size of a part in bytes; 0 for the usual size.
            may_be_utf8: treat a text that begins as UTF-8 as UTF-8, so that it is read only once.

        Raises:
            NotUtf8Error: the text begins as UTF-8 but is not; also raised while the parts are read.
            NeedsWholeFileError: the text's header is longer than any real header.
            SirenaError: the text is no WHONET table.
        """
        look_at_header(source)
        text = TextParts(path, source.is_packed)
        assumes_utf8 = may_be_utf8 and begins_as_utf8(source.head)
        page = CodePage("utf-8") if assumes_utf8 else find_encoding_of_parts(text.raw)
        beginning = b""
        for piece in text.utf8(page.name):
            beginning += piece
            if len(beginning) > _BEGINNING:
                break
        header = find_header(beginning, source.name)
        if header.start > LOOKAHEAD and len(beginning) > _BEGINNING:
            raise NeedsWholeFileError
        headers = header.headers
        refuse_duplicates(name for name in headers if name)
        second, _ = line_at(beginning, header.start, header.quote)
        width = max(len(headers), len(split_line(second, header.delimiter, header.quote)))
        names = name_columns([*headers, *[""] * (width - len(headers))])
        if width == 1:  # its blank lines are no rows
            raise NeedsWholeFileError
        own, surplus = names[: len(headers)], names[len(headers) :]
        substitute_names = [name for name, label in zip(own, headers, strict=True) if not label]
        rows = StreamedRows(own, substitute_names, header.first_row, source.name)
        return cls(source, text, page, header, own, surplus, rows, part or PART)

    def number(self, kept_columns: Sequence[str]) -> None:
        """Parse all columns to integer codes of texts; the caller removes columns with too many texts from `by_texts`.

        Args:
            kept_columns: columns that are always parsed to codes.
        """
        self.by_texts = {*self.names, *kept_columns}

    def parsed_parts(self, engine: Engine) -> Iterator[Part]:
        """Yield each part of the text in order, parsed by an engine."""
        parse = partial(_parse, [*self.names, *self.surplus], self.header, self.source.name)
        return engine.in_turn(parse, self._blocks())

    def _blocks(self) -> Iterator[tuple[pa.Buffer, list[str]]]:
        """Yield the text of each part, and the columns to be parsed as numbers of texts in it."""
        layout = RowLayout(self.header.delimiter, len(self.header.headers), self.header.quote)
        first = True
        for block in blocks(self._below_header(), layout, self.part):
            if not first and block.startswith(codecs.BOM_UTF8):  # the parser would take it for the text's own
                raise NeedsWholeFileError
            first = False
            yield pa.py_buffer(block), list(self.by_texts)

    def isolates(self, part: Part) -> pa.Table:
        """Return the isolates of the next part of the text.

        Raises:
            NeedsWholeFileError: a row has values beyond the header's columns.
            UnreadableFileError: another table begins.
        """
        table, ragged_rows = part
        self._ragged_rows += [(row - 1 + self._rows_read + self.header.first_row, cells) for row, cells in ragged_rows]
        self._rows_read += table.num_rows + len(ragged_rows)
        if any(table[name].null_count < table.num_rows for name in self.surplus):
            raise NeedsWholeFileError
        return self.rows.isolates(table.select(self.names))

    def refuse_ragged(self) -> None:
        """Raise an error if any row has another number of cells than the header; call it after all parts were read.

        Raises:
            UnreadableFileError: a row has another number of cells; the error names the first such row.
        """
        if self._ragged_rows:
            row, cells = self._ragged_rows[0]
            width = len(self.names) + len(self.surplus)
            raise ragged_row(self.source.name, row, cells, width, len(self._ragged_rows))

    def kept_names(self) -> list[str]:
        """Return the names of the columns that are kept; call it after all parts were read."""
        hollow = self.rows.hollow()
        return [name for name in self.names if name not in hollow]

    def table(self, frame: pl.DataFrame) -> RawTable:
        """Return the rows as a `RawTable`, with what is known about the file; call it after all parts were read."""
        rows = RawTable(frame, None, self.header.first_row, self.rows.skipped(), self.rows.problems())
        return with_text_facts(rows, self.header, self.page, is_packed=self.source.is_packed)

    def _below_header(self) -> Iterator[bytes]:
        above = self.header.start
        for piece in self.text.utf8(self.page.name):
            yield piece[above:]
            above = max(0, above - len(piece))


def _parse(names: list[str], header: Header, file: str, block: tuple[pa.Buffer, list[str]]) -> Part:
    text, by_texts = block
    return parse_rows(text, names, header, file, by_texts)
