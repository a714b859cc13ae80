"""The distinct texts of a long file's column, numbered while the file is read part by part."""

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

    def encode(self, part: pa.DictionaryArray) -> pa.UInt16Array:
        """Return the numbers of a part's texts, null for empty cells.

        Args:
            part: from `dictionary_encode`.

        Raises:
            NeedsWholeFileError: the column holds more than `MOST` distinct texts.
        """
        numbers = self._numbers
        own = [numbers.setdefault(text, len(numbers)) for text in part.dictionary.to_pylist()]
        if len(numbers) > MOST:
            raise NeedsWholeFileError
        # from buffers, since `pyarrow.array` imports pandas
        empty, positions = part.indices.buffers()
        codes = np.array([*own, 0], dtype=np.uint16)[np.frombuffer(positions, np.int32, len(part))]
        return pa.Array.from_buffers(pa.uint16(), len(codes), [empty, pa.py_buffer(codes)])
