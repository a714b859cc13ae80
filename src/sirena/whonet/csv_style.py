"""Styles of delimited text, chosen so that the program that made the input opens the output: Spanish Excel above all.

Excel in Spanish opens a ``.csv`` by double click only with semicolons, decimal commas and a byte order mark for UTF-8;
with commas it puts every row into one cell, and ``1.5`` becomes the first of May.
"""

import codecs
from dataclasses import dataclass
from typing import BinaryIO, Final

import polars as pl

from sirena.whonet.headers import find_test_column

_SLICE: Final = 20_000
_FIGURE: Final = r"^(\s*(?:[<>=≤≥]+\s*)?\d+)\.(\d+\s*)$"


@dataclass(frozen=True, slots=True)
class CsvStyle:
    """The separator, encoding and decimal sign of a delimited text."""

    separator: str = ","
    encoding: str = "utf-8"
    """Name of Python's codec; ``utf-8-sig`` writes a byte order mark."""
    decimal_comma: bool = False
    """True to write MICs with a decimal comma; False to leave them unchanged."""


EXCEL_ES: Final = CsvStyle(";", "utf-8-sig", decimal_comma=True)
"""The style that Spanish Excel opens by double click."""
STYLES: Final = {"keep": None, "excel-es": EXCEL_ES, "plain": CsvStyle()}
"""Styles by the option's words: as the input was (None), for Spanish Excel, or commas in UTF-8."""


def write_styled(frame: pl.DataFrame, stream: BinaryIO, style: CsvStyle) -> None:
    """Write a table as delimited text; in UTF-8 with a byte order mark if the encoding lacks one of its letters.

    Args:
        frame: every column String.
        stream: destination.
        style: separator, encoding and decimal sign.

    >>> from io import BytesIO
    >>> stream = BytesIO()
    >>> write_styled(pl.DataFrame({"ORGANISM": ["eco"], "AMK_NM": ["0.5"]}), stream, EXCEL_ES)
    >>> stream.getvalue().decode("utf-8-sig").split()
    ['ORGANISM;AMK_NM', 'eco;0,5']
    """
    if style.decimal_comma:
        frame = with_decimal_commas(frame)
    if style.encoding not in ("utf-8", "utf-8-sig") and not _fits_encoding(frame, style.encoding):
        style = CsvStyle(style.separator, "utf-8-sig")
    wide = style.encoding.startswith("utf-16")
    if wide:
        stream.write(codecs.BOM_UTF16_LE if style.encoding == "utf-16-le" else codecs.BOM_UTF16_BE)
    first = True
    for part in frame.iter_slices(_SLICE) if frame.height else [frame]:
        text = part.write_csv(separator=style.separator, include_header=first)
        encoding = style.encoding if first or style.encoding != "utf-8-sig" else "utf-8"
        stream.write(text.encode(encoding))
        first = False


def with_decimal_commas(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table with decimal commas in its MICs.

    >>> with_decimal_commas(pl.DataFrame({"AMK_NM": ["<=0.5", "16"]})).rows()
    [('<=0,5',), ('16',)]
    """
    tests = [name for name in frame.columns if find_test_column(name) is not None]
    return frame.with_columns(pl.col(tests).cast(pl.String).str.replace(_FIGURE, "${1},${2}"))


def _fits_encoding(frame: pl.DataFrame, encoding: str) -> bool:
    try:
        for part in frame.iter_slices(_SLICE):
            part.write_csv().encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
