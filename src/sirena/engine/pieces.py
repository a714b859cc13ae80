"""Splitting an object into pieces of bytes, for shared memory: its pickle, and separately its columns and tables.

`pickle` returns long data as separate buffers. Each is written once, at an address where an array may begin.
"""

import pickle
import struct
from collections.abc import Callable
from typing import Any, Final

_ALIGNED: Final = 64
"""Every piece begins at a multiple of this many bytes: Arrow requires it, and arrays are read fastest."""


def pieces_of(value: Any, dumps: Callable[..., bytes] = pickle.dumps) -> list[memoryview]:
    """Return the pieces of an object; the first holds the sizes of the others. Each takes `padded_size` bytes.

    Args:
        value: any object that `dumps` accepts.
        dumps: function like `pickle.dumps`.
    """
    buffers: list[pickle.PickleBuffer] = []
    head = dumps(value, protocol=5, buffer_callback=buffers.append)
    pieces = [memoryview(head), *(buffer.raw() for buffer in buffers)]
    sizes = struct.pack(f"<{1 + len(pieces)}Q", len(pieces), *(piece.nbytes for piece in pieces))
    return [memoryview(sizes), *pieces]


def object_of(content: memoryview) -> Any:
    """Return the object whose pieces are in memory one after another; its arrays use that memory without copying.

    Args:
        content: memory that Sirena itself wrote, since unpickling can run any code.
    """
    (count,) = struct.unpack_from("<Q", content)
    place = padded_size(8 * (1 + count))
    pieces = []
    for size in struct.unpack_from(f"<{count}Q", content, 8):
        pieces.append(content[place : place + size])
        place += padded_size(size)
    return pickle.loads(pieces[0], buffers=pieces[1:])  # noqa: S301 - see above


def padded_size(size: int) -> int:
    """Return the number of bytes that a piece takes, including the gap before the next piece.

    >>> padded_size(64), padded_size(65)
    (64, 128)
    """
    return -(-size // _ALIGNED) * _ALIGNED
