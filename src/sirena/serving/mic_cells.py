"""From a column's cells to MIC codes, each text read once and remembered.

Laboratories write a few hundred texts, so nearly every cell of a request is one that was read before.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, overload

import numpy as np
from numpy.typing import NDArray

from sirena.panel.lookup import encode_text

_MOST_TEXTS: Final = 4096
"""Texts of one drug that are remembered; callers choose texts, so there must be an end."""
_LONGEST_TEXT: Final = 16
"""Letters of one that is."""
_MOST_DRUGS: Final = 64
"""Drugs whose texts are remembered."""
_JUNK: Final = "?"


class RepeatedCells(Sequence[Any]):
    """Cells given as distinct ones and the position of each row's among them, as Arrow's dictionaries do."""

    def __init__(self, distinct: Sequence[Any], positions: NDArray[np.integer]) -> None:
        """Hold both.

        Args:
            distinct: cells.
            positions: of each row's cell among them.
        """
        self.distinct = distinct
        self.positions = positions

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.positions)

    @overload
    def __getitem__(self, row: int) -> Any: ...

    @overload
    def __getitem__(self, row: slice) -> Sequence[Any]: ...

    def __getitem__(self, row: int | slice) -> Any:
        """Return the cell of a row."""
        if isinstance(row, slice):
            return RepeatedCells(self.distinct, self.positions[row])
        return self.distinct[self.positions[row]]

    def __iter__(self) -> Iterator[Any]:
        """Give the cells in order."""
        return map(self.distinct.__getitem__, self.positions.tolist())


class MicReader:
    """Reads the cells of one drug's columns."""

    def __init__(self, drug: str) -> None:
        """Begin with nothing remembered."""
        self._drug = drug
        self._codes: dict[str | None, int] = {}

    def codes(self, cells: Sequence[Any]) -> NDArray[np.int16]:
        """Return the MIC code of each cell."""
        if isinstance(cells, RepeatedCells):
            codes: NDArray[np.int16] = self._read(cells.distinct)[cells.positions]
            return codes
        return self._read(cells)

    def _read(self, cells: Sequence[Any]) -> NDArray[np.int16]:
        try:
            # only texts and None are remembered, so a cell of another type is not found
            return np.fromiter(map(self._codes.__getitem__, cells), np.int16, len(cells))
        except (KeyError, TypeError):
            texts = [text_of(cell) for cell in cells]
        code_of = {text: encode_text(text, self._drug) for text in set(texts)}
        self._remember(code_of.items())
        return np.fromiter(map(code_of.__getitem__, texts), np.int16, len(texts))

    def _remember(self, codes: Iterable[tuple[str | None, int]]) -> None:
        for text, code in codes:
            if len(self._codes) < _MOST_TEXTS and len(text or "") <= _LONGEST_TEXT:
                self._codes[text] = code


def text_of(cell: object) -> str | None:
    """Return a cell as the text a file would hold.

    A number is read like its text; NaN is how data frames spell an empty cell; a truth value, list or object is
    nothing a laboratory writes and becomes a text that no reader accepts.
    """
    if cell is None or type(cell) is str:
        return cell
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        return _JUNK
    if isinstance(cell, float) and not math.isfinite(cell):
        return None if math.isnan(cell) else "1e999"
    return repr(cell) if abs(cell) < 1e300 else "1e999"  # longer integers may not even be spelt


@lru_cache(maxsize=_MOST_DRUGS)
def mic_reader(drug: str) -> MicReader:
    """Return the reader of a drug's columns."""
    return MicReader(drug)
