"""A panel in memory that several processes map: the cells of its tables are there once, however many answer by it.

What is Python's own (names of organisms, grounds) each process has for itself.
"""

import pickle
import struct
from collections.abc import Iterator
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
    arrays = [buffer.raw() for buffer in buffers]
    lengths = [len(objects), *map(len, arrays)]
    head = _LENGTH.pack(len(lengths)) + b"".join(map(_LENGTH.pack, lengths))

    def parts() -> Iterator[bytes | memoryview]:
        part: bytes | memoryview
        for part in (head, objects, *arrays):
            yield part
            yield bytes(-len(part) % _ALIGNMENT)

    return in_memory(parts())


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
