"""Making a table of a reader's raw cells: naming columns; removing blank rows, repeated headers and rows of units."""

import re
from collections.abc import Sequence
from typing import Final

import polars as pl

from sirena.whonet.errors import UnreadableFileError, no_rows
from sirena.whonet.fields import find_field
from sirena.whonet.file import RawTable
from sirena.whonet.header_row import roles_of_cells
from sirena.whonet.headers import ORGANISM_FIELDS
from sirena.whonet.problems import FIRST_ROWS, Problem, ProblemClass

_UNIT: Final = re.compile(r"mg/l|[uµμ]g/ml|mcg/ml|mm|mic|cim|cmi|nm|sir|s/i/r|-", re.IGNORECASE)


def name_columns(headers: Sequence[str]) -> list[str]:
    """Return the headers; each empty one is replaced by a name made from its position: ``COLUMN_7``.

    >>> name_columns(["ORGANISM", "", "AMK_NM"])
    ['ORGANISM', 'COLUMN_2', 'AMK_NM']
    """
    folded_names = {header.casefold() for header in headers}
    names: list[str] = []
    for position, header in enumerate(headers, 1):
        name = header or f"COLUMN_{position}"
        while not header and name.casefold() in folded_names:
            name += "_"
        names.append(name)
    return names


def settle(
    frame: pl.DataFrame,
    substitute_names: Sequence[str],
    file: str,
    first_row: int,
    encoding: str | None = None,
    detail: str = "",
) -> RawTable:
    """Drop and report what is not an isolate: empty unnamed columns, blank rows, units, repeated headers.

    Args:
        frame: the rows; every column is String.
        substitute_names: names that `name_columns` gave to columns without a header.
        file: name of the file, for messages.
        first_row: number of the frame's first row as the user counts rows.
        encoding: encoding of a text format.
        detail: see `RawTable`.

    Raises:
        UnreadableFileError: all rows are empty, or another table begins among them.

    >>> frame = pl.DataFrame({"ORGANISM": ["eco", None, "kpn"], "AMK_NM": ["4", None, "8"]})
    >>> table = settle(frame, [], "2025.csv", first_row=2)
    >>> table.frame.rows(), table.skipped_rows
    ([('eco', '4'), ('kpn', '8')], (3,))
    """
    empty_columns = [name for name in substitute_names if frame[name].null_count() == frame.height]
    frame = frame.drop(empty_columns)
    problems = [Problem(ProblemClass.UNNAMED_COLUMN, name, 1) for name in substitute_names if name not in empty_columns]
    if frame.is_empty() or frame.width == 0:
        raise no_rows(file)
    has_values = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    if not has_values.any():
        raise no_rows(file)
    last = int(has_values.arg_true()[-1])
    blank = (~has_values[: last + 1]).arg_true().to_list()
    headers = _repeated_headers(frame, file, first_row)
    units = [0] if is_units_row(frame.row(0)) else []
    for problem_class, positions in (
        (ProblemClass.BLANK_ROW, blank),
        (ProblemClass.REPEATED_HEADER, headers),
        (ProblemClass.UNITS_ROW, units),
    ):
        numbers = tuple(position + first_row for position in positions[:FIRST_ROWS])
        if positions:
            problems.append(Problem(problem_class, None, len(positions), numbers))
    left_out = sorted({*blank, *headers, *units})
    if left_out or not has_values.all():
        frame = frame.filter(has_values & ~pl.int_range(frame.height, eager=True).is_in([*headers, *units]))
    if frame.is_empty():
        raise no_rows(file)
    skipped_rows = tuple(position + first_row for position in left_out)
    return RawTable(frame, encoding, first_row, skipped_rows, tuple(problems), detail)


def is_units_row(row: tuple[str | None, ...]) -> bool:
    """Tell whether a row holds units only: ``mg/L``, ``mm``, ``S/I/R``.

    >>> is_units_row((None, "mg/L", "mm")), is_units_row(("eco", "mg/L", "mm"))
    (True, False)
    """
    cells = [cell.strip() for cell in row if cell]
    return len(cells) > 1 and all(_UNIT.fullmatch(cell) for cell in cells)


def _repeated_headers(frame: pl.DataFrame, file: str, first_row: int) -> list[int]:
    """Return the positions of rows that repeat the header, as programs print it on every page.

    Raises:
        UnreadableFileError: another header stands among the rows, so another table begins.
    """
    organism = organism_header(frame.columns)
    if organism is None:
        return []
    suspects = suspect_headers(frame[organism].unique().drop_nulls().to_list())
    positions = frame[organism].is_in(suspects).fill_null(value=False).arg_true().to_list() if suspects else []
    for position in positions:
        refuse_another_table(frame.row(position), frame.columns, file, position + first_row)
    return positions


def organism_header(names: Sequence[str]) -> str | None:
    """Return the header of the organism column, where repeated headers are searched; None if there is no such column.

    >>> organism_header(["SPEC_NUM", "ORGANISM", "AMK_NM"])
    'ORGANISM'
    """
    roles = roles_of_cells(names)
    headers = next((roles.headers_of(short) for short in ORGANISM_FIELDS if roles.headers_of(short)), [])
    return next((name for name in names if name.strip() in headers), None)


def suspect_headers(texts: Sequence[str]) -> list[str]:
    """Return the texts in an organism column that are themselves headers of an organism column.

    >>> suspect_headers(["eco", "ORGANISM", "sau"])
    ['ORGANISM']
    """
    return [text for text in texts if (field := find_field(text)) is not None and field.short in ORGANISM_FIELDS]


def refuse_another_table(row: Sequence[str | None], names: Sequence[str], file: str, number: int) -> None:
    """Raise an error if a row holds headers that are not the table's own.

    Raises:
        UnreadableFileError: the row is another table's header.

    >>> refuse_another_table(["ORGANISM", "CIP_NM"], ["ORGANISM", "AMK_NM"], "2025.csv", number=40)
    Traceback (most recent call last):
    sirena.whonet.errors.UnreadableFileError: 2025.csv: row 40 begins another table
    """
    cells = [(cell or "").strip() for cell in row]
    same = sum(cell == name.strip() for cell, name in zip(cells, names, strict=True) if cell)
    if 2 * same <= sum(bool(cell) for cell in cells):
        raise UnreadableFileError(
            f"{file}: row {number} begins another table",
            hint="Give each table a file or a sheet of its own.",
        )
