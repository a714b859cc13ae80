"""Finding compressed buffers in the messages of an Arrow stream by their metadata, before anything is unpacked.

PyArrow unpacks a batch on reading, to whatever size its buffers claim, and shows the compression only after that. The
metadata of a message is a FlatBuffers table (Arrow's ``Message.fbs``): its header is a record batch, or a dictionary
batch around one, and a record batch has a field for its compression.
"""

import struct
from typing import Final

_HEADER_TYPE: Final = 1
_HEADER: Final = 2
_DICTIONARY_BATCH: Final = 2
_RECORD_BATCH: Final = 3
_DATA: Final = 1
_COMPRESSION: Final = 3


def is_compressed(metadata: bytes) -> bool:
    """Tell whether a message's buffers are compressed.

    Args:
        metadata: metadata of the message, from `pyarrow.ipc.Message`.

    Raises:
        ValueError: the bytes are not the metadata of an Arrow message.
    """
    try:
        message = _offset(metadata, 0)
        place = _field(metadata, message, _HEADER_TYPE)
        kind = metadata[place] if place else 0
        header = _table(metadata, message, _HEADER)
        if kind == _DICTIONARY_BATCH and header:
            header = _table(metadata, header, _DATA)
        return kind in (_DICTIONARY_BATCH, _RECORD_BATCH) and bool(header and _field(metadata, header, _COMPRESSION))
    except (struct.error, IndexError) as error:
        raise ValueError("no message of Arrow's") from error


def _offset(content: bytes, place: int) -> int:
    return place + int(struct.unpack_from("<I", content, place)[0])


def _field(content: bytes, table: int, number: int) -> int:
    """Return the position of a field in a table; 0 if the table does not have the field."""
    (distance_back,) = struct.unpack_from("<i", content, table)
    entries = table - distance_back
    (size,) = struct.unpack_from("<H", content, entries)
    entry = 4 + 2 * number
    if entry >= size:
        return 0
    (distance,) = struct.unpack_from("<H", content, entries + entry)
    return table + int(distance) if distance else 0


def _table(content: bytes, table: int, number: int) -> int:
    place = _field(content, table, number)
    return _offset(content, place) if place else 0
