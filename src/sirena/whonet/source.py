"""Where bytes come from: a file, a gzip file, a pipe or standard input, with a bound on their size."""

import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from sirena.domain.errors import SirenaError, UsageError
from sirena.whonet.errors import UnavailableFileError, UnreadableFileError

HEAD: Final = 64 * 1024
"""How many bytes at the beginning tell the format."""
MAXIMUM_BYTES: Final = 2 * 1024**3
"""Largest table read, unpacked: about 10 million isolates with ten results each."""
_GZIP: Final = b"\x1f\x8b"
_CHUNK: Final = 4 * 1024**2
_SUSPICIOUS_SIZE: Final = 64 * 1024**2
_SUSPICIOUS_RATIO: Final = 250
"""Tables pack to a fifth, empty ones to a hundredth; what unpacks to more is made to fill the memory."""


@dataclass(frozen=True)
class Bounds:
    """What a table may hold, unpacked."""

    bytes: int = MAXIMUM_BYTES
    cells: int = 2_000_000_000


LARGEST: Final = Bounds()
"""What is read on a machine of one's own."""


@dataclass(frozen=True)
class Source:
    """Bytes to be read, their beginning known."""

    name: str
    """For messages: the path as given, or ``standard input``."""
    path: Path | None
    """The file, when its bytes are the table itself and not packed; readers may open it themselves."""
    head: bytes
    """The first `HEAD` bytes, unpacked."""
    content: Callable[[], bytes]
    """Returns all bytes, unpacked; call it once."""
    packed: bool = False
    """True for gzip."""
    bounds: Bounds = LARGEST
    """Asked by readers of formats that unpack."""


def open_source(path: Path | str, bounds: Bounds = LARGEST) -> Source:
    """Open a file, or standard input for ``-``, and look at its beginning; gzip is recognised and unpacked.

    Args:
        path: the file.
        bounds: what it may hold.

    Raises:
        UnavailableFileError: missing, a folder, or not readable.
        UnreadableFileError: empty, or gzip that is cut off, damaged or larger than the bounds.
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
        raise UnavailableFileError(f"{path}: no such file", hint="Check the path.") from error
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
    """Look at the beginning of a stream; gzip is recognised and unpacked.

    Args:
        stream: the bytes, read once.
        name: for messages.
        bounds: what it may hold.

    Raises:
        UnreadableFileError: empty, or gzip that is cut off or damaged.
        UsageError: it holds more than the bounds.
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
        packed = content()
        return _unpack(lambda: BytesIO(packed), name, bounds)
    if not stream.seekable():
        return Source(name, None, head, content, bounds=bounds)
    everything = content()
    return Source(name, None, head, lambda: everything, bounds=bounds)


def _unpack(reopen: Callable[[], BinaryIO], name: str, bounds: Bounds = LARGEST) -> Source:
    head = _inflate(reopen, name, HEAD, bounds)
    if not head:
        raise _empty(name)
    return Source(name, None, head, lambda: _inflate(reopen, name, None, bounds), packed=True, bounds=bounds)


def _inflate(reopen: Callable[[], BinaryIO], name: str, limit: int | None, bounds: Bounds) -> bytes:
    """Unpack the first `limit` bytes, or everything within the bounds."""
    parts: list[bytes] = []
    size = 0
    for part in inflated(reopen, name, bounds):
        parts.append(part)
        size += len(part)
        if limit is not None and size >= limit:
            return b"".join(parts)[:limit]
    return b"".join(parts)


def inflated(reopen: Callable[[], BinaryIO], name: str, bounds: Bounds) -> Iterator[bytes]:
    """Unpack gzip part by part within the bounds; members may follow one another.

    Raises:
        UnreadableFileError: it is cut off or damaged.
        UsageError: it holds more than the bounds, or far more than a table would.
    """
    size = packed = 0
    try:
        with reopen() as stream:
            inflater = zlib.decompressobj(wbits=31)
            pending = stream.read(_CHUNK)
            while True:
                part = inflater.decompress(pending, _CHUNK)
                yield part
                size += len(part)
                packed += len(pending) - len(inflater.unconsumed_tail) - len(inflater.unused_data)
                if size > bounds.bytes or (size > _SUSPICIOUS_SIZE and size > _SUSPICIOUS_RATIO * packed):
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
