"""Which columns of a request's body are kept, so that memory stays in proportion to the request.

Rules, each with a test of like name:

- a column is kept if its name is that of a test, the organism or the specimen; any other is dropped on reading;
- more columns than `MOST_COLUMNS` are refused;
- more cells than `MOST_CELLS` are refused, and so are records that leave nearly all of their cells empty: each name
  makes a cell in every record, so a few names in each of many records would make very many cells.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sirena.domain.specimens import SPECIMEN_COLUMN
from sirena.panel.lookup import read_column
from sirena.serving.core import LONGEST_NAME, ORGANISM_COLUMNS
from sirena.serving.errors import TooManyCellsError, TooManyColumnsError
from sirena.serving.mic_cells import known_columns

MOST_COLUMNS: Final = 1000
"""Most columns kept of one request; WHONET files have some 200, tests and others together."""
MOST_CELLS: Final = 10_000_000
"""Most cells kept of one request: 240,000 isolates with 41 antimicrobials."""
_FREE_CELLS: Final = 1_000_000
_CELLS_PER_CELL_SENT: Final = 16
_NAMED: Final = frozenset({*ORGANISM_COLUMNS, SPECIMEN_COLUMN})


def keeps(name: object) -> bool:
    """Tell whether a column of this name is kept.

    >>> keeps("AMK_NM"), keeps("ORGANISM"), keeps("NAME")
    (True, True, False)
    """
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        return False
    return read_column(name) is not None or name.strip().upper() in _NAMED


def kept_columns(columns: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """Return the columns to keep; all of them must have the same length.

    Raises:
        TooManyColumnsError: there are more than `MOST_COLUMNS` columns.
        TooManyCellsError: there are more than `MOST_CELLS` cells.
    """
    columns_to_keep = {name: cells for name, cells in columns.items() if keeps(name)}
    require_room(len(columns_to_keep), max(map(len, columns_to_keep.values()), default=0))
    return columns_to_keep


def kept_records(records: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Any]]:
    """Return records as columns; a cell is empty if a record lacks the column's name.

    Raises:
        TooManyColumnsError: there are more than `MOST_COLUMNS` columns.
        TooManyCellsError: there are more than `MOST_CELLS` cells, or the records are nearly empty.
    """
    columns = _records_of_same_names(records)
    if columns is not None:
        return columns
    verdicts: dict[str, bool] = {}
    cells_sent = 0
    for record in records:
        for name in record:
            is_kept = verdicts.get(name)
            if is_kept is None:
                is_kept = verdicts[name] = keeps(name)
            cells_sent += is_kept
    names = [name for name, is_kept in verdicts.items() if is_kept]
    require_room(len(names), len(records))
    if len(names) * len(records) > _FREE_CELLS + _CELLS_PER_CELL_SENT * cells_sent:
        raise TooManyCellsError(
            "nearly all cells of the records are empty",
            hint="send one record an isolate with all its tests, or fewer records a request",
        )
    return {name: [record.get(name) for record in records] for name in names}


def _records_of_same_names(records: Sequence[Mapping[str, Any]]) -> dict[str, Sequence[Any]] | None:
    """Return records as columns if all have the same names in the same order, as usual; else None."""
    names = list(records[0]) if records else []
    if not names or any(list(record) != names for record in records):
        return None
    kept_names = [name for name in names if keeps(name)]
    require_room(len(kept_names), len(records))
    tests = [name for name in kept_names if read_column(name) is not None]
    columns: dict[str, Sequence[Any]] = {}
    if tests:
        columns |= known_columns(records, tests) or {}
    return {name: columns.get(name) or [record[name] for record in records] for name in kept_names}


def require_room(columns: int, rows: int) -> None:
    """Check that this many columns of this many rows may be kept.

    Raises:
        TooManyColumnsError: there are more than `MOST_COLUMNS` columns.
        TooManyCellsError: there are more than `MOST_CELLS` cells.
    """
    if columns > MOST_COLUMNS:
        raise TooManyColumnsError(f"more than {MOST_COLUMNS} columns name tests", hint="send the tests that were made")
    if columns * rows > MOST_CELLS:
        raise TooManyCellsError(
            f"the tests have more than {MOST_CELLS} cells",
            hint="send fewer rows a request, or use `sirena interpret` for files",
        )
