"""Quotation marks that enclose a cell, and those that are only characters of a free text.

A mark at the start of a comment (``"blood culture x2``) opens a quotation for every reader of delimited text, which
then runs over line ends until another comment holds a mark: rows vanish and results go to other isolates. So lines with
an odd number of marks are examined one by one.

Rules, each with a test of like name:

- text between an opening and a closing mark of RFC 4180 is one cell, over line ends too, unless its lines are full
  rows;
- a line with the right number of delimiters is a row, and its marks are characters, if they close nowhere;
- if both readings are possible, or neither, the file is refused and the error names the line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from sirena.whonet.errors import UnreadableFileError

QUOTES: Final = ('"', "'")
"""Marks that enclose cells; MicroScan's exports use the second."""
_CHUNK: Final = 8 * 1024**2
_LONGEST_RECORD: Final = 1024**2
"""Most bytes of a row; a longer quotation is one that was not closed."""
LOOKAHEAD: Final = 2 * _LONGEST_RECORD
"""Bytes after a place that are needed to decide how the lines before it are read."""
_ENDS: Final = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class RowLayout:
    """The layout of a text's rows."""

    delimiter: str
    width: int
    """Number of cells in a row."""
    quote: str = '"'


def settle_quotes(text: bytes, start: int, layout: RowLayout, file: str, first_row: int) -> bytes:
    r"""Return a text in which every quotation mark that is only a character is escaped by quoting.

    Args:
        text: the text, as UTF-8.
        start: position of the first line below the header.
        layout: layout of the text's rows.
        file: name of the file, for messages.
        first_row: number of the first line below the header.

    Raises:
        UnreadableFileError: it is unclear whether a mark opens a quotation; the error names the line.

    >>> text = b"COMMENT,AMK_NM\n'x2,4\nnone,8\n"
    >>> settle_quotes(text, 15, RowLayout(",", width=2, quote="'"), "2025.csv", first_row=2)
    b"COMMENT,AMK_NM\n'''x2','4'\nnone,8\n"
    """
    part, _ = settle_part(text, start, len(text), layout, file, first_row)
    return text if part is None else text[:start] + part


def settle_part(
    text: bytes, start: int, stop: int, layout: RowLayout, file: str, first_row: int
) -> tuple[bytes | None, int]:
    r"""Do the same as `settle_quotes` for the lines from `start` to `stop` of a text too long for memory.

    Args:
        text: the text, as UTF-8; it must reach `LOOKAHEAD` bytes beyond `stop`, or to the text's end.
        start: position of the first line.
        stop: the start of a line, or the text's end.
        layout: layout of the text's rows.
        file: name of the file, for messages.
        first_row: number of the first line.

    Returns:
        The lines with stray quotation marks quoted, or None if nothing changes; and the position of the next part:
        `stop`, or the end of a row that reaches beyond it.

    Raises:
        UnreadableFileError: as for `settle_quotes`.

    >>> text, layout = b"'x2,4\nnone,8\n", RowLayout(",", width=2, quote="'")
    >>> settle_part(text, 0, 6, layout, "2025.csv", first_row=2)
    (b"'''x2','4'\n", 6)
    >>> settle_part(text, 6, 13, layout, "2025.csv", first_row=3)
    (None, 13)
    """
    quote = layout.quote.encode()
    if text.find(quote, start, stop) < 0:
        return None, stop
    lines = _Lines(text, layout)
    parts: list[bytes] = []
    copied_position = settled_position = start
    for line in _odd_lines(text, start, quote):
        if line >= stop:
            break
        if line < settled_position:
            continue
        end = lines.end_of(line)
        record_end = lines.record_end(line)
        if record_end is not None and (record_end == end or not lines.are_rows(line, record_end)):
            settled_position = record_end
            continue
        quoted_line = lines.line_in_quotes(line, end) if record_end is None else None
        if quoted_line is None:
            raise UnreadableFileError(
                f"{file}: row {_row_of(text, start, line, first_row)} holds an open quotation mark",
                hint="Take the mark out of this row's text, or export the file with every text in quotation marks.",
            )
        parts += [text[copied_position:line], quoted_line]
        copied_position = settled_position = end
    if settled_position > stop:  # within the cell's last line, whose break belongs to it
        match = _ENDS.search(text, settled_position)
        stop = match.end() if match else len(text)
    return (b"".join([*parts, text[copied_position:stop]]) if parts else None), stop


def _odd_lines(text: bytes, start: int, quote: bytes) -> Iterator[int]:
    """Yield the positions of lines with an odd number of marks; a line ends at CR, LF or both."""
    while start < len(text):
        stop = min(start + _CHUNK, len(text))
        if stop < len(text):
            # a part ends with a line; a line longer than a part is no table's
            stop = max(text.rfind(b"\n", start, stop), text.rfind(b"\r", start, stop)) + 1 or len(text)
        letters = np.frombuffer(text, np.uint8, stop - start, start)
        marks = np.flatnonzero(letters == quote[0])
        if len(marks):
            begins = np.concatenate(([0], np.flatnonzero((letters == 10) | (letters == 13)) + 1))
            number = np.searchsorted(begins, marks, side="right") - 1
            counts = np.bincount(number, minlength=len(begins))
            yield from (int(begins[line]) + start for line in np.flatnonzero(counts % 2))
        start = stop


def _row_of(text: bytes, start: int, line: int, first_row: int) -> int:
    return len(_ENDS.findall(text, start, line)) + first_row


class _Lines:
    """Examines the lines of a text one by one."""

    def __init__(self, text: bytes, layout: RowLayout) -> None:
        self.text = text
        self.layout = layout
        self.quote = layout.quote.encode()
        self.delimiter = layout.delimiter.encode()
        quote, delimiter = re.escape(self.quote), re.escape(self.delimiter)
        cell = rb"(?:%b(?:[^%b]|%b%b)*+%b|[^%b%b\r\n][^%b\r\n]*+|)" % (*(quote,) * 5, delimiter, quote, delimiter)
        self.record = re.compile(rb"%b(?:%b%b)*+(?=\r|\n|\Z)" % (cell, delimiter, cell))
        self.cell = re.compile(cell)
        self.between = self.quote + self.delimiter + self.quote

    def end_of(self, line: int) -> int:
        """Return the position of the line's end, without its break."""
        match = re.compile(rb"\r|\n").search(self.text, line)
        return match.start() if match else len(self.text)

    def record_end(self, line: int) -> int | None:
        """Return the end of the RFC 4180 row that begins at a line; None if that row has not the table's width."""
        match = self.record.match(self.text, line, min(line + _LONGEST_RECORD, len(self.text)))
        if match is None or not self._fits(self._count(match[0])):
            return None
        return match.end()

    def _count(self, record: bytes) -> int:
        """Return the number of a row's cells; delimiters inside quotes do not separate cells."""
        count, position = 1, 0
        while (cell := self.cell.match(record, position)) is not None and cell.end() < len(record):
            count, position = count + 1, cell.end() + 1
        return count

    def _fits(self, cells: int) -> bool:
        return cells in (self.layout.width, self.layout.width + 1)

    def are_rows(self, line: int, end: int) -> bool:
        """Tell whether every line up to an end is a full row, counting delimiters only."""
        return all(
            self._fits(part.count(self.delimiter) + 1) for part in _ENDS.split(self.text[line:end]) if part.strip()
        )

    def line_in_quotes(self, line: int, end: int) -> bytes | None:
        """Return a line with every cell quoted and its marks taken as characters; None if the line is no full row."""
        content = self.text[line:end]
        cells = content[1:-1].split(self.between)
        # every cell in marks, and one of them holds a mark more
        if not (content[:1] == content[-1:] == self.quote and self._fits(len(cells))):
            cells = content.split(self.delimiter)
        if not self._fits(len(cells)):
            return None
        quoted_cells = (cell.replace(self.quote, self.quote * 2) for cell in cells)
        return self.delimiter.join(self.quote + cell + self.quote if cell else b"" for cell in quoted_cells)
