"""A long text, read in parts as often as needed: as raw bytes, as UTF-8, and in blocks of whole rows.

Rules, each with a test of like name:

- a part ends with a line, so that no row is cut, and a decision that needs several lines sees them all;
- the blocks together are the text that a reader of the whole file would parse after `settle_quotes`.
"""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sirena.whonet.errors import NeedsWholeFileError, NotUtf8Error
from sirena.whonet.quotes import LOOKAHEAD, RowLayout, settle_part
from sirena.whonet.source import Bounds, inflate_parts

PART: Final = 4 * 1024**2
_END_OF_TEXT: Final = b"\x1a"
_UNBOUNDED: Final = Bounds(bytes=2**62)
"""No limits, since only parts are held; text that unpacks to far more than a table is still refused."""


@dataclass(frozen=True)
class TextParts:
    """The bytes of a text file, packed with gzip or not."""

    path: Path
    is_packed: bool
    size: int = PART
    """About how many bytes each part has."""

    def raw(self) -> Iterator[bytes]:
        """Yield the bytes from the beginning, in parts that end at the end of a line.

        Raises:
            NeedsWholeFileError: a line is longer than a part.
            UnreadableFileError: the gzip data are cut off or damaged.
        """
        buffer = b""
        for piece in self._pieces():
            buffer += piece
            if len(buffer) >= self.size:
                stop = _last_line(buffer, len(buffer))
                yield buffer[:stop]
                buffer = buffer[stop:]
        if buffer:
            yield buffer

    def _pieces(self) -> Iterator[bytes]:
        if self.is_packed:
            yield from inflate_parts(lambda: self.path.open("rb"), str(self.path), _UNBOUNDED)
            return
        with self.path.open("rb") as stream:
            while piece := stream.read(self.size):
                yield piece

    def utf8(self, encoding: str) -> Iterator[bytes]:
        """Yield the text as UTF-8 without byte order mark, with the result that `encoding.to_utf8` has for the whole.

        Raises:
            NeedsWholeFileError: bytes do not fit the encoding, or are NUL characters.
            NotUtf8Error: the encoding is UTF-8, and the text is not.
        """
        decoder = codecs.getincrementaldecoder(encoding)()
        tail = b""  # DOS programs end a text with Ctrl-Z
        first = True
        try:
            for piece in self._pieces():
                if encoding != "utf-8":
                    part = decoder.decode(piece).encode()
                else:
                    part = piece
                    if decoder.getstate()[0] or not piece.isascii():  # ASCII is UTF-8, and is recognised faster
                        decoder.decode(piece)
                if first and part and encoding != "utf-8":
                    part, first = part.decode().lstrip("\ufeff").encode(), False
                if b"\0" in part:
                    raise NeedsWholeFileError
                part = tail + part if tail else part
                text = part.rstrip(_END_OF_TEXT)
                tail = part[len(text) :]
                yield text
            rest = decoder.decode(b"", final=True)
            if encoding != "utf-8":
                yield rest.encode()
        except UnicodeError as error:
            if encoding == "utf-8":
                raise NotUtf8Error from error
            raise NeedsWholeFileError from error


def blocks(text: Iterator[bytes], layout: RowLayout, size: int = PART) -> Iterator[bytes | bytearray]:
    r"""Yield a text in blocks of whole rows, with every quotation mark that is only a character itself quoted.

    Args:
        text: the text as UTF-8, from the line below the header.
        layout: layout of the text's rows.
        size: approximate size of a block in bytes.

    Raises:
        NeedsWholeFileError: a line is longer than a block.
        UnreadableFileError: it is unclear whether a mark opens a quotation; the row number counts within the block.

    >>> list(blocks(iter([b"eco,4\nkp", b"n,8\nsau,1\n"]), RowLayout(",", width=2), size=15))
    [bytearray(b'eco,4\nkpn,8\n'), b'sau,1\n']
    """
    quote = layout.quote.encode()
    buffer = bytearray()
    for part in text:
        buffer += part
        while len(buffer) > size + (LOOKAHEAD if (has_quotes := quote in buffer) else 0):
            stop = _last_line(buffer, size)
            if not has_quotes:
                yield buffer[:stop]
                del buffer[:stop]
                continue
            window = bytes(buffer)
            settled_text, end = settle_part(window, 0, stop, layout, "", 1)
            if end == len(window):  # a cell that may go on behind it
                raise NeedsWholeFileError
            yield window[:end] if settled_text is None else settled_text
            del buffer[:end]
    window = bytes(buffer)
    settled_text, end = settle_part(window, 0, len(window), layout, "", 1)
    if window:
        yield window if settled_text is None else settled_text


def _last_line(text: bytes | bytearray, limit: int) -> int:
    """Return the end of the last whole line in the first `limit` bytes."""
    stop = text.rfind(b"\n", 0, limit) + 1
    if stop == 0:
        stop = text.rfind(b"\r", 0, limit - 1) + 1  # a CR at the very end may be followed by its LF
    if stop == 0:
        raise NeedsWholeFileError
    return stop
