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
            part: texts with numbers of their own.

        Raises:
            NeedsWholeFileError: the column holds more than `MOST` distinct texts.
        """
        numbers = self._numbers
        own = [numbers.setdefault(text, len(numbers)) for text in part.dictionary.to_pylist()]
        if len(numbers) > MOST:
            raise NeedsWholeFileError
        empty = part.indices.is_null().to_numpy(zero_copy_only=False) if part.null_count else None
        positions = part.indices.fill_null(len(own)).to_numpy(zero_copy_only=False)
        return pa.array(np.array([*own, 0], dtype=np.uint16)[positions], mask=empty)
