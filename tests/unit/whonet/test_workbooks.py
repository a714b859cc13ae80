"""Workbooks of every format: read, and where they would fill the memory, refused in a process of their own."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from sirena.whonet.errors import UnreadableFileError
from sirena.whonet.reading import read_file
from tests.workbook_files import Cell, ods, ods_row, xls, xlsb, xlsx

TABLE = [Cell(0, 0, "ORGANISM"), Cell(0, 1, "AMK_NM"), Cell(1, 0, "eco"), Cell(1, 1, "4")]
LAST_ROW, LAST_COLUMN = 2**20 - 1, 2**14 - 1
FORMATS: dict[str, Callable[[Sequence[Cell]], bytes]] = {
    "xlsx": xlsx,
    "xlsx with spaces": partial(xlsx, equals=" = "),
    "xlsb": xlsb,
    "xls": xls,
}
ODS_TABLE = ods_row("ORGANISM", "AMK_NM") + ods_row("eco", "4")


@pytest.mark.parametrize("form", FORMATS)
def test_a_table_is_read_from_each_format(tmp_path: Path, form: str) -> None:
    """So that what the next test refuses is refused for where its cells stand."""
    (tmp_path / "book").write_bytes(FORMATS[form](TABLE))
    assert read_file(tmp_path / "book").frame.rows() == [("eco", "4")]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "far",
    [[(LAST_ROW, LAST_COLUMN)], [(LAST_ROW, 0), (2, LAST_COLUMN)], [(LAST_ROW, 400)]],
    ids=["corner", "two sides", "long"],
)
def test_a_cell_far_from_the_table_does_not_fill_the_memory(
    tmp_path: Path, form: str, far: list[tuple[int, int]]
) -> None:
    """The reader makes room for all between, and where there is none ends its process; ours tells what to do."""
    rows = 2**16 - 1 if form == "xls" else LAST_ROW
    cells = [*TABLE, *(Cell(min(row, rows), column, "4") for row, column in sorted(far))]
    book = FORMATS[form](sorted(cells, key=lambda cell: cell.row))
    assert len(book) < 7000
    (tmp_path / "book").write_bytes(book)
    with pytest.raises(UnreadableFileError, match="far more memory than a table of its size") as refusal:
        read_file(tmp_path / "book")
    assert "Ctrl+End" in refusal.value.hint


def test_a_table_of_libreoffice_is_read(tmp_path: Path) -> None:
    """With the empty rows it writes below each table."""
    blank = '<table:table-row table:number-rows-repeated="1048574"><table:table-cell/></table:table-row>'
    (tmp_path / "book").write_bytes(ods(ODS_TABLE + blank))
    assert read_file(tmp_path / "book").frame.rows() == [("eco", "4")]


@pytest.mark.parametrize(("rows", "columns"), [(2**20, 50), (2**20, 2**14), (50_000, 2**14), (10**10, 2**32 - 1)])
def test_rows_that_say_to_stand_a_million_times_do_not_fill_the_memory(tmp_path: Path, rows: int, columns: int) -> None:
    """LibreOffice's format needs no distance for it: one cell is repeated as often as it says."""
    book = ods(ODS_TABLE + ods_row("eco", rows=rows, columns=columns))
    assert len(book) < 1000
    (tmp_path / "book").write_bytes(book)
    with pytest.raises(UnreadableFileError):
        read_file(tmp_path / "book")
