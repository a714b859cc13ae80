"""A panel in memory that several processes map: the cells of its tables are there once, however many answer by it.

What is Python's own (names of organisms, grounds) each process has for itself.
"""

import itertools
import pickle
import struct
from typing import Final

from sirena.panel.compiled import Panel
from sirena.serving.channel import in_memory, mapped

_ALIGNMENT: Final = 64
"""Bytes; arrays that begin at a multiple of it are read the quickest."""
_LENGTH: Final = struct.Struct("<Q")


def share(panel: Panel) -> int:
    """Return the descriptor of a sealed file in memory that holds a panel, laid out for answering."""
    assert panel.wide.width  # made here, so that those who map it need not
    buffers: list[pickle.PickleBuffer] = []
    objects = pickle.dumps(panel, protocol=5, buffer_callback=buffers.append)
    parts: list[bytes | memoryview] = [objects, *(buffer.raw() for buffer in buffers)]
    head = _LENGTH.pack(len(parts)) + b"".join(_LENGTH.pack(len(part)) for part in parts)
    padded = ((part, bytes(-len(part) % _ALIGNMENT)) for part in (head, *parts))
    return in_memory(itertools.chain.from_iterable(padded))


def take_up(descriptor: int) -> Panel:
    """Return the panel that `share` wrote. Its arrays lie in the file, and cannot be written to."""
    content = mapped(descriptor)
    (count,) = _LENGTH.unpack_from(content)
    lengths = [length for (length,) in _LENGTH.iter_unpack(content[_LENGTH.size : (count + 1) * _LENGTH.size])]
    parts = []
    start = _aligned((count + 1) * _LENGTH.size)
    for length in lengths:
        parts.append(content[start : start + length])
        start += _aligned(length)
    panel: Panel = pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301 - written by this service, and sealed
    return panel


def _aligned(length: int) -> int:
    return -(-length // _ALIGNMENT) * _ALIGNMENT
