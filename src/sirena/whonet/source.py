"""The bytes to read: from a file, a gzip file, a pipe or standard input, with a limit on their size."""

import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from sirena.domain.errors import SirenaError, UsageError
from sirena.whonet.errors import UnavailableFileError, UnreadableFileError, of_s3

HEAD: Final = 64 * 1024
"""Number of bytes at the beginning by which the format is determined."""
MAXIMUM_BYTES: Final = 2 * 1024**3
"""Largest table that is read, in unpacked bytes: about 10 million isolates with ten results each."""
_GZIP: Final = b"\x1f\x8b"
_CHUNK: Final = 4 * 1024**2
_SUSPICIOUS_SIZE: Final = 64 * 1024**2
_SUSPICIOUS_RATIO: Final = 250
"""Tables pack to a fifth, empty ones to a hundredth; a file packed beyond 1:250 is made to fill the memory."""


@dataclass(frozen=True)
class Bounds:
    """Maximum number of bytes and of cells that an unpacked table may have."""

    bytes: int = MAXIMUM_BYTES
    cells: int = 2_000_000_000


LARGEST: Final = Bounds()
"""Bounds for files on the user's own machine."""


@dataclass(frozen=True)
class Source:
    """Bytes to read; their beginning has been read already."""

    name: str
    """Name in messages: the path as given, or ``standard input``."""
    path: Path | None
    """Path of the file, if it holds the table itself, unpacked, so that readers may open it; else None."""
    head: bytes
    """The first `HEAD` bytes, unpacked."""
    content: Callable[[], bytes]
    """Function that returns all bytes, unpacked; call it once."""
    is_packed: bool = False
    """True if the bytes were packed with gzip."""
    bounds: Bounds = LARGEST
    """Limits that readers of packed formats must respect."""


def open_source(path: Path | str, bounds: Bounds = LARGEST) -> Source:
    """Open a file, or standard input for ``-``, and read its beginning; gzip is recognised and unpacked.

    Args:
        path: the file.
        bounds: maximum number of bytes and of cells that the table may have.

    Raises:
        UnavailableFileError: the file is missing, a folder, or not readable.
        UnreadableFileError: the file is empty, or gzip that is cut off, damaged or larger than the bounds.

    >>> import gzip, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "2025.csv.gz")
    ...     _ = path.write_bytes(gzip.compress(b"ORGANISM,AMK_NM"))
    ...     source = open_source(path)
    >>> source.head, source.is_packed
    (b'ORGANISM,AMK_NM', True)
    """
    if str(path) == "-":
        return source_of(sys.stdin.buffer, "standard input")
    path = Path(path)
    try:
        if path.is_dir():
            raise UnavailableFileError(f"{path}: is a folder", hint="Name one file.")
        if not path.is_file() and path.exists():
            with path.open("rb") as stream:
                return source_of(stream, str(path))
        with path.open("rb") as stream:
            head = stream.read(HEAD)
            size = path.stat().st_size
    except FileNotFoundError as error:
        raise (of_s3(path) or UnavailableFileError(f"{path}: no such file", hint="Check the path.")) from error
    except PermissionError as error:
        raise UnavailableFileError(
            f"{path}: no permission to read it", hint="Ask its owner for the right to read."
        ) from error
    except OSError as error:
        raise UnavailableFileError(f"{path}: cannot be read ({error.strerror})") from error
    if not head:
        raise _empty(str(path))
    if head.startswith(_GZIP):
        return _unpack(lambda: path.open("rb"), str(path), bounds)
    if size > bounds.bytes:
        raise _too_large(str(path), bounds)
    return Source(str(path), path, head, path.read_bytes, bounds=bounds)


def source_of(stream: BinaryIO, name: str, bounds: Bounds = LARGEST) -> Source:
    r"""Read the beginning of a stream; gzip is recognised and unpacked.

    Args:
        stream: the bytes, read once.
        name: name of the file, for messages.
        bounds: maximum number of bytes and of cells that the table may have.

    Raises:
        UnreadableFileError: the stream is empty, or gzip that is cut off or damaged.
        UsageError: the stream holds more than the bounds allow.

    >>> from io import BytesIO
    >>> source_of(BytesIO(b"ORGANISM,AMK_NM\n"), "isolates.csv").head
    b'ORGANISM,AMK_NM\n'
    """
    head = stream.read(HEAD)
    if not head:
        raise _empty(name)

    def content() -> bytes:
        rest = stream.read(bounds.bytes - len(head) + 1)
        if len(head) + len(rest) > bounds.bytes:
            raise _too_large(name, bounds)
        return head + rest

    if head.startswith(_GZIP):
        packed_content = content()
        return _unpack(lambda: BytesIO(packed_content), name, bounds)
    if not stream.seekable():
        return Source(name, None, head, content, bounds=bounds)
    whole_content = content()
    return Source(name, None, head, lambda: whole_content, bounds=bounds)


def _unpack(reopen: Callable[[], BinaryIO], name: str, bounds: Bounds = LARGEST) -> Source:
    head = _inflate(reopen, name, HEAD, bounds)
    if not head:
        raise _empty(name)
    return Source(name, None, head, lambda: _inflate(reopen, name, None, bounds), is_packed=True, bounds=bounds)


def _inflate(reopen: Callable[[], BinaryIO], name: str, limit: int | None, bounds: Bounds) -> bytes:
    """Return the first `limit` unpacked bytes, or all of them, within the bounds."""
    parts: list[bytes] = []
    size = 0
    for part in inflate_parts(reopen, name, bounds):
        parts.append(part)
        size += len(part)
        if limit is not None and size >= limit:
            return b"".join(parts)[:limit]
    return b"".join(parts)


def inflate_parts(reopen: Callable[[], BinaryIO], name: str, bounds: Bounds) -> Iterator[bytes]:
    """Yield the unpacked bytes of gzip data part by part, within the bounds; the data may have several gzip members.

    Raises:
        UnreadableFileError: the gzip data are cut off or damaged.
        UsageError: the data unpack to more than the bounds allow, or to far more than a table would.

    >>> import gzip
    >>> packed_text = gzip.compress(b"ORGANISM,AMK_NM")
    >>> list(inflate_parts(lambda: BytesIO(packed_text), "2025.csv.gz", LARGEST))
    [b'ORGANISM,AMK_NM']
    """
    size = packed_size = 0
    try:
        with reopen() as stream:
            inflater = zlib.decompressobj(wbits=31)
            pending = stream.read(_CHUNK)
            while True:
                part = inflater.decompress(pending, _CHUNK)
                yield part
                size += len(part)
                packed_size += len(pending) - len(inflater.unconsumed_tail) - len(inflater.unused_data)
                if size > bounds.bytes or (size > _SUSPICIOUS_SIZE and size > _SUSPICIOUS_RATIO * packed_size):
                    raise _too_large(name, bounds)
                if inflater.eof:
                    pending = inflater.unused_data or stream.read(_CHUNK)
                    if not pending.strip(b"\0"):
                        return
                    inflater = zlib.decompressobj(wbits=31)
                    continue
                pending = inflater.unconsumed_tail or stream.read(_CHUNK)
                if not pending and not part:
                    raise UnreadableFileError(
                        f"{name}: the gzip file is cut off", hint="Copy or download it again; its end is missing."
                    )
    except zlib.error as error:
        raise UnreadableFileError(f"{name}: the gzip file is damaged", hint="Copy or download it again.") from error


def _empty(name: str) -> UnreadableFileError:
    return UnreadableFileError(f"{name}: the file is empty", hint="Export it from WHONET again.")


def _too_large(name: str, bounds: Bounds = LARGEST) -> SirenaError:
    return UsageError(
        f"{name}: holds more than {bounds.bytes // 1024**2:,} MiB, or unpacks to far more than a table would",
        hint="Is it a WHONET table? If so, unpack it, or split it by year.",
    )
