"""Removing what is not an isolate from a long text in parts, with the same result as `rows.settle` of the whole."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from sirena.whonet.errors import NeedsWholeFileError
from sirena.whonet.problems import FIRST_ROWS, Problem, ProblemClass
from sirena.whonet.rows import is_units_row, organism_header, refuse_another_table, suspect_headers


@dataclass
class StreamedRows:
    """Leaves out blank rows, rows of units and repeated headers, and remembers their numbers."""

    names: list[str]
    """Names of all columns, in order."""
    unnamed: list[str]
    """Names made for columns without a name."""
    first_row: int
    """Number of the first row as the user counts rows."""
    file: str
    """File name for messages."""
    height: int = 0
    """Number of rows read, including those left out."""
    filled: set[str] = field(default_factory=set)
    """Unnamed columns that are not empty."""
    _blank: list[NDArray[np.int64]] = field(default_factory=list)
    _headers: list[int] = field(default_factory=list)
    _units: list[int] = field(default_factory=list)
    _last: int = -1
    _seen: set[str] = field(default_factory=set)
    _suspects: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find the column in which repeated headers are searched."""
        self.organism = organism_header(self.names)

    def isolates(self, table: pa.Table) -> pa.Table:
        """Return the isolates among a part's rows.

        Raises:
            UnreadableFileError: another table begins among them.
        """
        offset, count = self.height, table.num_rows
        self.height += count
        if not count:
            return table
        self.filled.update(name for name in self.unnamed if table[name].null_count < count)
        holds = _holding(table)
        if offset == 0 and is_units_row(tuple(table.slice(0, 1).to_pylist()[0].values())):
            self._units = [0]
        headers = self._repeated(table, offset)
        if holds is None:
            self._last = offset + count - 1
        else:
            self._blank.append(np.flatnonzero(~holds) + offset)
            if holds.any():
                self._last = offset + int(np.flatnonzero(holds)[-1])
        self._headers += headers
        out = [*headers, *(self._units if offset == 0 else ())]
        if holds is None and not out:
            return table
        kept = np.ones(count, dtype=bool) if holds is None else holds
        kept[np.array(out, dtype=np.int64) - offset] = False
        # from a buffer, since `pyarrow.array` imports pandas
        bits = pa.py_buffer(np.packbits(kept, bitorder="little"))
        return table.filter(pa.Array.from_buffers(pa.bool_(), count, [None, bits]))

    def _repeated(self, table: pa.Table, offset: int) -> list[int]:
        if self.organism is None:
            return []
        cells = table[self.organism]
        new = [text for text in cells.unique().to_pylist() if text is not None and text not in self._seen]
        self._seen.update(new)
        self._suspects += suspect_headers(new)
        if not self._suspects:
            return []
        positions = np.flatnonzero(pc.is_in(cells, value_set=pa.array(self._suspects)).to_numpy(zero_copy_only=False))
        for position, row in zip(positions.tolist(), table.take(pa.array(positions)).to_pylist(), strict=True):
            number = position + offset + self.first_row
            refuse_another_table([row[name] for name in self.names], self.names, self.file, number)
        return [position + offset for position in positions.tolist()]

    def hollow(self) -> list[str]:
        """Return the unnamed columns that are empty, after all rows were read."""
        return [name for name in self.unnamed if name not in self.filled]

    def problems(self) -> tuple[Problem, ...]:
        """Return the problems of what was left out, after all rows were read."""
        problems = [Problem(ProblemClass.UNNAMED_COLUMN, name, 1) for name in self.unnamed if name in self.filled]
        for problem_class, positions in (
            (ProblemClass.BLANK_ROW, self._blanks()),
            (ProblemClass.REPEATED_HEADER, self._headers),
            (ProblemClass.UNITS_ROW, self._units),
        ):
            if len(positions):
                numbers = tuple(int(position) + self.first_row for position in positions[:FIRST_ROWS])
                problems.append(Problem(problem_class, None, len(positions), numbers))
        return tuple(problems)

    def skipped(self) -> tuple[int, ...]:
        """Return the numbers of the rows left out before the last row that is not empty."""
        left_out = sorted({*self._blanks().tolist(), *self._headers, *self._units})
        return tuple(position + self.first_row for position in left_out)

    def _blanks(self) -> NDArray[np.int64]:
        if self._last < 0:
            raise NeedsWholeFileError
        blank = np.concatenate(self._blank) if self._blank else np.zeros(0, dtype=np.int64)
        return blank[blank < self._last]


def _holding(table: pa.Table) -> NDArray[np.bool_] | None:
    """Return which rows are not empty; None if no row is."""
    holds: NDArray[np.bool_] = np.zeros(table.num_rows, dtype=bool)
    for column in table.columns:
        if column.null_count == 0:
            return None
        holds |= _valid(column)
        if holds.all():
            return None
    return holds


def _valid(column: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Return which cells of a column are not empty."""
    # from the buffers, since `to_numpy` imports pandas
    parts = [(chunk.buffers()[1], chunk.offset, len(chunk)) for chunk in column.is_valid().chunks if len(chunk)]
    bits = [
        np.unpackbits(np.frombuffer(buffer, np.uint8), count=offset + length, bitorder="little")[offset:]
        for buffer, offset, length in parts
    ]
    valid: NDArray[np.bool_] = np.concatenate(bits).astype(bool)
    return valid
