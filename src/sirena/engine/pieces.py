"""A thing as pieces of bytes, for memory that other processes see: a pickle, and the columns and tables beside it.

`pickle` gives what is long as buffers, which are written once, each where an array may begin.
"""

import pickle
import struct
from collections.abc import Callable
from typing import Any, Final

_ALIGNED: Final = 64
"""Bytes to a multiple of which every piece begins: Arrow wants it, and arrays are read the quickest."""


def pieces_of(thing: Any, dumps: Callable[..., bytes] = pickle.dumps) -> list[memoryview]:
    """Return the pieces of a thing, of which the first tells the sizes of the others; each takes `padded` bytes.

    Args:
        thing: anything that `dumps` takes.
        dumps: as `pickle.dumps`.
    """
    buffers: list[pickle.PickleBuffer] = []
    head = dumps(thing, protocol=5, buffer_callback=buffers.append)
    pieces = [memoryview(head), *(buffer.raw() for buffer in buffers)]
    sizes = struct.pack(f"<{1 + len(pieces)}Q", len(pieces), *(piece.nbytes for piece in pieces))
    return [memoryview(sizes), *pieces]


def thing_of(content: memoryview) -> Any:
    """Return the thing whose pieces were written one after another; its arrays lie where they were written.

    Args:
        content: written by Sirena itself, since a pickle does what it says.
    """
    (count,) = struct.unpack_from("<Q", content)
    place = padded(8 * (1 + count))
    pieces = []
    for size in struct.unpack_from(f"<{count}Q", content, 8):
        pieces.append(content[place : place + size])
        place += padded(size)
    return pickle.loads(pieces[0], buffers=pieces[1:])  # noqa: S301 - see above


def padded(size: int) -> int:
    """Return how many bytes a piece takes, with what lies between it and the next.

    >>> padded(64), padded(65)
    (64, 128)
    """
    return -(-size // _ALIGNED) * _ALIGNED
