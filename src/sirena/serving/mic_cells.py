"""Reading a column's cells as MIC codes, with each text read once and cached.

Laboratories write a few hundred distinct texts, so nearly every cell of a request was read before.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from threading import Lock
from typing import Any, Final, overload

import numpy as np
from numpy.typing import NDArray

from sirena.domain.mic import MISSING
from sirena.panel.lookup import encode_text

_MOST_TEXTS: Final = 4096
"""Most texts that are cached; clients choose texts, so there must be a limit."""
_LONGEST_TEXT: Final = 16
"""Longest text that is cached, in characters."""
_NOT_READ: Final = np.iinfo(np.int16).min
_MOST_DRUGS: Final = 64
"""Most drugs whose texts are cached."""
_JUNK: Final = "?"


class RepeatedCells(Sequence[Any]):
    """Cells given as distinct cells and the position of each row's cell, as in Arrow's dictionaries."""

    def __init__(self, distinct: Sequence[Any], positions: NDArray[np.integer]) -> None:
        """Set the cells and positions.

        Args:
            distinct: the distinct cells.
            positions: position of each row's cell in `distinct`.
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
        """Yield the cells in order."""
        return map(self.distinct.__getitem__, self.positions.tolist())


class KnownTexts:
    """Short texts of MICs that were read before, each with an integer code."""

    def __init__(self) -> None:
        """Start without any texts."""
        self.texts: list[str | None] = []
        self._numbers: dict[str | None, int] = {}
        self._learning = Lock()

    def numbers(self, cells: Iterable[Any], length: int) -> NDArray[np.int16] | None:
        """Return the codes of `length` cells; None if any cell is not a known text."""
        try:
            # only texts and None are known, so a cell of another type is not found
            return np.fromiter(map(self._numbers.__getitem__, cells), np.int16, length)
        except (KeyError, TypeError):
            return None

    def learn(self, texts: Iterable[str | None]) -> None:
        """Add texts that may occur again, up to the limits."""
        # long bodies are read in threads, and no two texts may get one number
        with self._learning:
            for text in texts:
                if len(self.texts) < _MOST_TEXTS and len(text or "") <= _LONGEST_TEXT and text not in self._numbers:
                    self.texts.append(text)
                    self._numbers[text] = len(self.texts) - 1


_known: Final = KnownTexts()


class KnownCells(RepeatedCells):
    """Cells whose texts are known, given by the texts' integer codes."""

    def __init__(self, numbers: NDArray[np.int16]) -> None:
        """Create the cells from the integer codes of their texts."""
        super().__init__(_known.texts, numbers)


def shared_cells(distinct: Sequence[Any], positions: NDArray[np.integer]) -> list[RepeatedCells]:
    """Return columns whose cells are positions in one list of distinct cells.

    Args:
        distinct: the distinct cells.
        positions: positions in `distinct`, by column and row.
    """
    numbers = _known.numbers(distinct, len(distinct))
    if numbers is not None:
        return [KnownCells(line) for line in numbers[positions]]
    # each column is read by a reader of its own, which is to see no cells but its own
    columns: list[RepeatedCells] = []
    for line in positions:
        own, own_positions = np.unique(line, return_inverse=True)
        columns.append(RepeatedCells([distinct[place] for place in own.tolist()], own_positions))
    return columns


def known_columns(records: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, KnownCells] | None:
    """Return the columns of records that all have these names; None if any cell is not a known text.

    The cells are read record by record, in the order they have in memory, which is faster than column by column.
    """
    rows = map(itemgetter(*names), records) if len(names) > 1 else ([record[names[0]]] for record in records)
    numbers = _known.numbers(chain.from_iterable(rows), len(records) * len(names))
    if numbers is None:
        return None
    columns = np.ascontiguousarray(numbers.reshape(len(records), len(names)).T)
    return {name: KnownCells(column) for name, column in zip(names, columns, strict=True)}


class MicReader:
    """Reads the cells of one drug's columns as MIC codes."""

    def __init__(self, drug: str) -> None:
        """Start without any text read."""
        self._drug = drug
        self._codes = np.full(_MOST_TEXTS, _NOT_READ, dtype=np.int16)
        """MIC codes by number of the known text."""

    def codes(self, cells: Sequence[Any]) -> NDArray[np.int16]:
        """Return the MIC code of each cell."""
        if isinstance(cells, KnownCells):
            return self._codes_of(cells.positions)
        if isinstance(cells, RepeatedCells):
            codes: NDArray[np.int16] = self.codes(cells.distinct)[cells.positions]
            return codes
        numbers = _known.numbers(cells, len(cells))
        if numbers is not None:
            return self._codes_of(numbers)
        texts = [text_of(cell) for cell in cells]
        code_of = {text: encode_text(text, self._drug) for text in set(texts)}
        # what cannot be read may be anything, also a name in the wrong column
        _known.learn(text for text, code in code_of.items() if code >= 0 or code == MISSING)
        return np.fromiter(map(code_of.__getitem__, texts), np.int16, len(texts))

    def _codes_of(self, numbers: NDArray[np.integer]) -> NDArray[np.int16]:
        codes: NDArray[np.int16] = self._codes[numbers]
        unread_numbers = numbers[codes == _NOT_READ]
        if not len(unread_numbers):
            return codes
        for number in set(unread_numbers.tolist()):
            self._codes[number] = encode_text(_known.texts[number], self._drug)
        return self._codes_of(numbers)


def text_of(cell: object) -> str | None:
    """Return a cell as the text that a file would hold.

    A number becomes its text; NaN, by which data frames mark an empty cell, becomes None; a truth value, list or object
    becomes a text that cannot be read.

    >>> text_of(2), text_of("<=2"), text_of(None)
    ('2', '<=2', None)
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
