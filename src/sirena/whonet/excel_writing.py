"""Writing spreadsheets: every cell is text, so that Excel turns no MIC into a date and runs no cell as a formula.

The header is frozen and has filters; a rule of the sheet colours each category.

XlsxWriter makes the workbook and its small further sheets; Polars makes the rows of its first sheet column by column,
because one call for each of some million cells takes ten times as long.

Source of the cells' form: ECMA-376, part 1, 18.3.1.4 (inline strings) and 22.9.2.19 (``_x000D_`` escapes).
"""

import re
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

import polars as pl

from sirena.domain.category import Category
from sirena.domain.errors import UsageError
from sirena.whonet.headers import category_of, printable

_MOST_ROWS: Final = 1_048_575
_MOST_COLUMNS: Final = 16_384
_LONGEST_CELL: Final = 32_767
_SHEET: Final = "xl/worksheets/sheet1.xml"
_SLICE: Final = 5_000
_FORMAT: Final = ("bg_color", "font_color")
_COLOURS: Final = {
    ("#D5E8D4", "#1E4620"): (Category.S, Category.WT),
    ("#FFF2CC", "#5F4B00"): (Category.I, Category.SDD),
    ("#F8CECC", "#7A1B14"): (Category.R, Category.NS, Category.NWT),
    ("#E6E6E6", "#404040"): (Category.NI,),
}
"""Background and letter colour of categories; they also differ in brightness."""
_COMPRESSION: Final = 3
"""Compression level: half the time of the usual 6, for a tenth more bytes."""
_SPECIAL: Final = re.compile(r"[&<>]|[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def write_excel(frame: pl.DataFrame, path: Path | BinaryIO, further: Mapping[str, pl.DataFrame] | None = None) -> None:
    """Write a table as the first sheet of a workbook.

    Args:
        frame: the table.
        path: destination, a path or a stream.
        further: small tables for further sheets, by the sheets' names.

    Raises:
        UsageError: the table has more rows, columns or characters than a sheet can hold.

    >>> stream = BytesIO()
    >>> write_excel(pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": ["<=2"]}), stream)
    >>> pl.read_excel(stream, sheet_name="Isolates").rows()
    [('eco', '<=2')]
    """
    frame = frame.cast(pl.String)
    sheets = {name: table.cast(pl.String) for name, table in (further or {}).items()}
    for table in (frame, *sheets.values()):
        _refuse_unfit(table)
    from xlsxwriter.utility import xl_col_to_name

    extent = f'<dimension ref="A1:{xl_col_to_name(frame.width - 1)}{frame.height + 1}"/>'.encode()
    with (
        zipfile.ZipFile(_workbook_without_rows(frame, sheets)) as shell,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as workbook,
    ):
        for name in shell.namelist():
            content = shell.read(name)
            if name != _SHEET:
                workbook.writestr(name, content)
                continue
            before, after = content.replace(b'<dimension ref="A1"/>', extent).split(b"<sheetData/>")
            with workbook.open(name, "w", force_zip64=True) as sheet:
                sheet.write(before + b"<sheetData>")
                for rows in _rows(frame):
                    sheet.write(rows)
                sheet.write(b"</sheetData>" + after)


def _workbook_without_rows(frame: pl.DataFrame, further: Mapping[str, pl.DataFrame]) -> BytesIO:
    """Return a workbook whose first sheet has formatting rules but no rows; its further sheets are complete."""
    import xlsxwriter  # here, since most files are no spreadsheets, and it takes long to load

    content = BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as workbook:
        isolates = workbook.add_worksheet("Isolates")
        isolates.freeze_panes(1, 0)
        isolates.autofilter(0, 0, max(frame.height, 1), frame.width - 1)
        formats = {colours: workbook.add_format(dict(zip(_FORMAT, colours, strict=True))) for colours in _COLOURS}
        for number, name in enumerate(frame.columns):
            if category_of(name.removesuffix("_new")) is None:
                continue
            for colours, categories in _COLOURS.items():
                for category in categories:
                    rule = {"type": "cell", "criteria": "==", "value": f'"{category}"', "format": formats[colours]}
                    isolates.conditional_format(1, number, max(frame.height, 1), number, rule)
        for name, table in further.items():
            sheet = workbook.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            for number, row in enumerate([tuple(table.columns), *table.iter_rows()]):
                for column, text in enumerate(row):
                    if text is not None:
                        sheet.write_string(number, column, text)
    return content


def _rows(frame: pl.DataFrame) -> Iterator[bytes]:
    """Yield the XML of the sheet's rows, the header first, some thousand rows at a time."""
    from xlsxwriter.utility import xl_col_to_name

    letters = [xl_col_to_name(number) for number in range(frame.width)]
    header = pl.DataFrame([frame.columns], schema=[f"{number}" for number in range(frame.width)], orient="row")
    body = pl.DataFrame([_escape(column).alias(name) for name, column in zip(header.columns, frame, strict=True)])
    yield _spell(pl.DataFrame([_escape(column) for column in header]), letters, 1)
    for start in range(0, frame.height, _SLICE):
        yield _spell(body[start : start + _SLICE], letters, start + 2)


def _spell(cells: pl.DataFrame, letters: list[str], first_row: int) -> bytes:
    numbered_cells = cells.with_columns(pl.int_range(first_row, first_row + cells.height).cast(pl.String).alias("row"))
    cell_texts = [
        pl.when(pl.col(name).is_not_null())
        .then(
            pl.format(f'<c r="{letter}{{}}" t="inlineStr"><is><t xml:space="preserve">{{}}</t></is></c>', "row", name)
        )
        .otherwise(pl.lit(""))
        for name, letter in zip(cells.columns, letters, strict=True)
    ]
    rows = numbered_cells.select(pl.concat_str(pl.format('<row r="{}">', "row"), *cell_texts, pl.lit("</row>")))
    return "".join(rows.to_series()).encode()


def _escape(column: pl.Series) -> pl.Series:
    """Return a column in which characters that XML cannot hold are escaped; works on the distinct texts."""
    distinct = column.unique().drop_nulls()
    replacements = {text: new for text in distinct if (new := _SPECIAL.sub(_replacement, text)) != text}
    if not replacements:
        return column
    return column.replace(list(replacements), list(replacements.values()))


def _replacement(match: re.Match[str]) -> str:
    return _ENTITIES.get(match[0]) or f"_x{ord(match[0]):04X}_"


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
