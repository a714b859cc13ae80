"""The distinct texts of a long file's column, each given an integer code while the file is read in parts."""

from collections.abc import Callable
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sirena.whonet.errors import NeedsWholeFileError

MOST: Final = 2**16 - 1
"""Most distinct texts that a column of MICs, organisms or specimens is expected to have."""
_OF_A_BYTE: Final = 2**8
"""Up to this many distinct texts, one byte holds a text's number."""


class DistinctTexts:
    """Gives each distinct text of a column an integer code, in the order in which the texts appear."""

    def __init__(self, meaning_of: Callable[[str], str] = str) -> None:
        """Start without any texts.

        Args:
            meaning_of: returns what a text stands for; texts that stand for the same thing count as one.
        """
        self._meaning_of = meaning_of
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        """Return the number of distinct texts so far."""
        return len(self._numbers)

    @property
    def texts(self) -> list[str]:
        """The distinct texts, in the order of their codes."""
        return list(self._numbers)

    def encode(self, part: pa.DictionaryArray) -> pa.UInt8Array | pa.UInt16Array:
        """Return the integer code of each cell's text, null for an empty cell; of one byte each while the codes fit.

        Args:
            part: dictionary-encoded texts of some rows, with indices of 32 bits or `narrowed`; dictionary texts that no
                row has are ignored.

        Raises:
            NeedsWholeFileError: the column has more than `MOST` distinct texts.
        """
        numbers = self._numbers
        texts = list(map(self._meaning_of, part.dictionary.to_pylist()))
        own = np.zeros(len(texts) + 1, dtype=np.uint16)
        indices = part.indices
        positions = _numbers_of(indices)
        unknown = [place for place, text in enumerate(texts) if text not in numbers]
        if unknown:
            occurs = np.zeros(len(texts) + 1, dtype=bool)
            occurs[_numbers_of(indices.drop_null()) if part.null_count else positions] = True
            for place in unknown:
                if occurs[place]:
                    numbers.setdefault(texts[place], len(numbers))
            if len(numbers) > MOST:
                raise NeedsWholeFileError
        own[: len(texts)] = [numbers.get(text, 0) for text in texts]
        # what stands in an empty place is not defined
        codes = np.take(own if len(numbers) > _OF_A_BYTE else own.astype(np.uint8), positions, mode="clip")
        # from buffers, since `pyarrow.array` imports pandas
        kind = pa.uint8() if codes.dtype == np.uint8 else pa.uint16()
        return pa.Array.from_buffers(kind, len(codes), [_from_start(indices), pa.py_buffer(codes)])


def narrowed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a dictionary-encoded column with indices of one byte where so few texts allow it; any other as it is.

    Most columns have few texts, and three quarters of what is sent between processes would be zeros.

    >>> column = pa.chunked_array([pa.array(["eco", "kpn", "eco"]).dictionary_encode()])
    >>> column.type.index_type, narrowed(column).type.index_type
    (DataType(int32), DataType(uint8))
    """
    if not pa.types.is_dictionary(column.type) or column.num_chunks != 1:
        return column
    array = column.chunk(0)
    if len(array.dictionary) > _OF_A_BYTE:
        return column
    # what stands in an empty place is not defined, so no index is checked
    indices = array.indices.cast(pa.uint8(), safe=False)
    return pa.chunked_array([pa.DictionaryArray.from_arrays(indices, array.dictionary, safe=False)])


def _numbers_of(indices: pa.Int32Array | pa.UInt8Array) -> NDArray[np.int32] | NDArray[np.uint8]:
    """Return an array's numbers; at empty cells they are undefined."""
    # from the buffer, since `to_numpy` imports pandas
    kind = np.dtype(np.uint8 if indices.type == pa.uint8() else np.int32)
    return np.frombuffer(indices.buffers()[1], kind, len(indices), offset=kind.itemsize * indices.offset)


def _from_start(array: pa.Array) -> pa.Buffer | None:
    """Return an array's validity bits, moved so that they begin at the buffer's first bit; None if no cell is empty."""
    mask = array.buffers()[0]
    if mask is None or not array.null_count:
        return None
    if not array.offset:
        return mask
    bits = np.unpackbits(np.frombuffer(mask, np.uint8), count=array.offset + len(array), bitorder="little")
    return pa.py_buffer(np.packbits(bits[array.offset :], bitorder="little"))
