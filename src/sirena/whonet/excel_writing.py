"""Writing spreadsheets: every cell is text, so that Excel turns no MIC into a date and runs no cell as a formula."""

from pathlib import Path
from typing import Final

import polars as pl
import xlsxwriter

from sirena.domain.errors import UsageError
from sirena.whonet.headers import printable

_MOST_ROWS: Final = 1_048_575
_MOST_COLUMNS: Final = 16_384
_LONGEST_CELL: Final = 32_767
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_numbers": False,
    "strings_to_formulas": False,
    "strings_to_urls": False,
}


def write_excel(frame: pl.DataFrame, path: Path) -> None:
    """Write a table as the one sheet of a workbook.

    Raises:
        UsageError: more rows, columns or characters than a sheet holds.
    """
    frame = frame.cast(pl.String)
    _refuse_unfit(frame)
    with xlsxwriter.Workbook(path, _OPTIONS) as workbook:
        sheet = workbook.add_worksheet("Isolates")
        sheet.freeze_panes(1, 0)
        write = sheet.write_string
        for column, name in enumerate(frame.columns):
            write(0, column, name)
        for row, cells in enumerate(frame.iter_rows(), 1):
            for column, cell in enumerate(cells):
                if cell is not None:
                    write(row, column, cell)


def _refuse_unfit(frame: pl.DataFrame) -> None:
    if frame.height > _MOST_ROWS or frame.width > _MOST_COLUMNS:
        raise UsageError(
            f"a sheet holds {_MOST_ROWS} isolates and {_MOST_COLUMNS} columns, not {frame.height} and {frame.width}",
            hint="Write .csv or .parquet.",
        )
    for column in frame:
        if int(column.str.len_chars().max() or 0) > _LONGEST_CELL:  # type: ignore[arg-type]
            raise UsageError(
                f"column {printable(column.name)}: a cell has more than {_LONGEST_CELL} characters",
                hint="Write .csv or .parquet.",
            )
