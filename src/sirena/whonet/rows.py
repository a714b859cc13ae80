"""From the raw cells of a reader to a table: unnamed columns, blank rows, no rows at all."""

from collections.abc import Sequence

import polars as pl

from sirena.whonet.errors import no_rows
from sirena.whonet.file import Table
from sirena.whonet.problems import FIRST_ROWS, Problem, ProblemClass


def name_columns(headers: Sequence[str]) -> list[str]:
    """Return the headers, those without a name called ``COLUMN_7`` by position."""
    taken = {header.casefold() for header in headers}
    names: list[str] = []
    for position, header in enumerate(headers, 1):
        name = header or f"COLUMN_{position}"
        while not header and name.casefold() in taken:
            name += "_"
        names.append(name)
    return names


def settle(
    frame: pl.DataFrame,
    unnamed: Sequence[str],
    file: str,
    first_row: int,
    encoding: str | None = None,
    detail: str = "",
) -> Table:
    """Drop unnamed columns that hold nothing and rows that hold nothing, and report what is left of either.

    Args:
        frame: every column String.
        unnamed: names from `name_columns` of columns that had none.
        file: name for messages.
        first_row: number of the frame's first row as the user sees it.
        encoding: of text formats.
        detail: see `Table`.

    Raises:
        UnreadableFileError: no row holds anything.
    """
    hollow = [name for name in unnamed if frame[name].null_count() == frame.height]
    frame = frame.drop(hollow)
    problems = [Problem(ProblemClass.UNNAMED_COLUMN, name, 1) for name in unnamed if name not in hollow]
    if frame.is_empty() or frame.width == 0:
        raise no_rows(file)
    filled = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
    if not filled.any():
        raise no_rows(file)
    last = int(filled.arg_true()[-1])
    skipped = tuple(int(position) + first_row for position in (~filled[: last + 1]).arg_true())
    if not filled.all():
        frame = frame.filter(filled)
    if skipped:
        problems.append(Problem(ProblemClass.BLANK_ROW, None, len(skipped), skipped[:FIRST_ROWS]))
    return Table(frame, encoding, first_row, skipped, tuple(problems), detail)
