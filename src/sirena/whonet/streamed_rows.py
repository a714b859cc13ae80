"""Removing what is not an isolate from a long text in parts, with the result that `rows.settle` has for the whole."""

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
    substitute_names: list[str]
    """Names made for columns without a name."""
    first_row: int
    """Number of the first row as the user counts rows."""
    file: str
    """File name for messages."""
    height: int = 0
    """Number of rows read, including those left out."""
    filled_columns: set[str] = field(default_factory=set)
    """Unnamed columns that are not empty."""
    _blank: list[NDArray[np.int64]] = field(default_factory=list)
    _headers: list[int] = field(default_factory=list)
    _units: list[int] = field(default_factory=list)
    _last: int = -1
    _known_texts: set[str] = field(default_factory=set)
    _suspects: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find the column in which repeated headers are searched."""
        self.organism = organism_header(self.names)

    def isolates(self, table: pa.Table) -> pa.Table:
        """Return the isolates among the rows of the next part of the text.

        Raises:
            UnreadableFileError: another table begins among the rows.
        """
        offset, count = self.height, table.num_rows
        self.height += count
        if not count:
            return table
        self.filled_columns.update(name for name in self.substitute_names if table[name].null_count < count)
        has_values = _rows_with_values(table)
        if offset == 0 and is_units_row(tuple(table.slice(0, 1).to_pylist()[0].values())):
            self._units = [0]
        headers = self._header_positions(table, offset)
        if has_values is None:
            self._last = offset + count - 1
        else:
            self._blank.append(np.flatnonzero(~has_values) + offset)
            if has_values.any():
                self._last = offset + int(np.flatnonzero(has_values)[-1])
        self._headers += headers
        out = [*headers, *(self._units if offset == 0 else ())]
        if has_values is None and not out:
            return table
        keep_mask = np.ones(count, dtype=bool) if has_values is None else has_values
        keep_mask[np.array(out, dtype=np.int64) - offset] = False
        # from a buffer, since `pyarrow.array` imports pandas
        bits = pa.py_buffer(np.packbits(keep_mask, bitorder="little"))
        return table.filter(pa.Array.from_buffers(pa.bool_(), count, [None, bits]))

    def _header_positions(self, table: pa.Table, offset: int) -> list[int]:
        if self.organism is None:
            return []
        cells = table[self.organism]
        new = [text for text in cells.unique().to_pylist() if text is not None and text not in self._known_texts]
        self._known_texts.update(new)
        self._suspects += suspect_headers(new)
        if not self._suspects:
            return []
        positions = np.flatnonzero(pc.is_in(cells, value_set=pa.array(self._suspects)).to_numpy(zero_copy_only=False))
        for position, row in zip(positions.tolist(), table.take(pa.array(positions)).to_pylist(), strict=True):
            number = position + offset + self.first_row
            refuse_another_table([row[name] for name in self.names], self.names, self.file, number)
        return [position + offset for position in positions.tolist()]

    def hollow(self) -> list[str]:
        """Return the unnamed columns that are empty; call it after all rows were read."""
        return [name for name in self.substitute_names if name not in self.filled_columns]

    def problems(self) -> tuple[Problem, ...]:
        """Return the problems that name the rows left out; call it after all rows were read."""
        problems = [
            Problem(ProblemClass.UNNAMED_COLUMN, name, 1)
            for name in self.substitute_names
            if name in self.filled_columns
        ]
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


def _rows_with_values(table: pa.Table) -> NDArray[np.bool_] | None:
    """Return which rows are not empty; None if no row is."""
    has_values: NDArray[np.bool_] = np.zeros(table.num_rows, dtype=bool)
    for column in table.columns:
        if column.null_count == 0:
            return None
        has_values |= _valid(column)
        if has_values.all():
            return None
    return has_values


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
