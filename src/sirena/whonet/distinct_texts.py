"""The distinct texts of a long file's column, numbered while the file is read part by part."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import pyarrow as pa

from sirena.whonet.errors import NeedsWholeFileError

MOST: Final = 2**16 - 1
"""More distinct texts are no column of MICs, organisms or specimens."""


class DistinctTexts:
    """Numbers the texts of one column in the order of their appearance."""

    def __init__(self) -> None:
        """Begin without any."""
        self._numbers: dict[str, int] = {}

    @property
    def texts(self) -> list[str]:
        """The texts by number."""
        return list(self._numbers)

    def encode(self, part: pa.DictionaryArray, *, exact: bool = True) -> pa.UInt16Array:
        """Return the numbers of a part's texts, null for empty cells.

        Args:
            part: texts with numbers of their own, of 32 bits.
            exact: whether each of its texts occurs; a file's own dictionary may hold others.

        Raises:
            NeedsWholeFileError: the column holds more than `MOST` distinct texts.
        """
        numbers = self._numbers
        indices = part.indices
        empty, buffer = indices.buffers()
        positions = np.frombuffer(buffer, np.int32, len(part), offset=4 * indices.offset)
        texts = part.dictionary.to_pylist()
        own = np.zeros(len(texts) + 1, dtype=np.uint16)
        if exact:
            occurring: Iterable[int] = range(len(texts))
        else:
            occurring = np.unique(positions if not part.null_count else indices.drop_null().to_numpy()).tolist()
        for place in occurring:
            number = numbers.setdefault(texts[place], len(numbers))
            if number >= MOST:
                raise NeedsWholeFileError
            own[place] = number
        # from buffers, since `pyarrow.array` imports pandas
        codes = own[positions.clip(0, len(texts))] if not exact else own[positions]
        return pa.Array.from_buffers(pa.uint16(), len(codes), [_from_start(empty, indices), pa.py_buffer(codes)])


def _from_start(mask: pa.Buffer | None, array: pa.Array) -> pa.Buffer | None:
    """Return an array's validity as of an array that begins at its first bit."""
    if mask is None or not array.null_count:
        return None
    if not array.offset:
        return mask
    bits = np.unpackbits(np.frombuffer(mask, np.uint8), bitorder="little")
    return pa.py_buffer(np.packbits(bits[array.offset : array.offset + len(array)], bitorder="little"))
