"""The distinct texts of a long file's column, numbered while the file is read part by part."""

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sirena.whonet.errors import NeedsWholeFileError

MOST: Final = 2**16 - 1
"""More distinct texts are no column of MICs, organisms or specimens."""
_OF_A_BYTE: Final = 2**8
"""So many texts are numbered by a byte."""


class DistinctTexts:
    """Numbers the texts of one column in the order of their appearance."""

    def __init__(self) -> None:
        """Begin without any."""
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        """Tell how many there are so far."""
        return len(self._numbers)

    @property
    def texts(self) -> list[str]:
        """The texts by number."""
        return list(self._numbers)

    def encode(self, part: pa.DictionaryArray) -> pa.UInt8Array | pa.UInt16Array:
        """Return the numbers of a part's texts, null for empty cells; of a byte each while a byte holds them.

        Args:
            part: texts with numbers of their own, of 32 bits; those that no row has are not counted.

        Raises:
            NeedsWholeFileError: the column holds more than `MOST` distinct texts.
        """
        numbers = self._numbers
        texts = part.dictionary.to_pylist()
        held = _held(part.indices)
        positions = np.frombuffer(part.indices.buffers()[1], np.int32, len(part), offset=4 * part.indices.offset)
        if held is not None:
            positions = np.where(held, positions, len(texts))
        own = np.zeros(len(texts) + 1, dtype=np.uint16)
        for place in _occurring(positions, len(texts)):
            own[place] = numbers.setdefault(texts[place], len(numbers))
            if len(numbers) > MOST:
                raise NeedsWholeFileError
        codes = np.take(own if len(numbers) > _OF_A_BYTE else own.astype(np.uint8), positions)
        # from buffers, since `pyarrow.array` imports pandas
        validity = None if held is None else pa.py_buffer(np.packbits(held, bitorder="little"))
        kind = pa.uint8() if codes.dtype == np.uint8 else pa.uint16()
        return pa.Array.from_buffers(kind, len(codes), [validity, pa.py_buffer(codes)])


def _held(array: pa.Array) -> NDArray[np.bool_] | None:
    """Return which places of an array hold something; None when all do."""
    mask = array.buffers()[0]
    if mask is None or not array.null_count:
        return None
    bits = np.unpackbits(np.frombuffer(mask, np.uint8), count=array.offset + len(array), bitorder="little")
    return bits[array.offset :].view(np.bool_)


def _occurring(positions: NDArray[np.int32], texts: int) -> list[int]:
    occurs = np.zeros(texts + 1, dtype=bool)
    occurs[positions] = True
    return np.flatnonzero(occurs[:texts]).tolist()
