"""Converting the numbers of a file to texts as a laboratory would write them: 0.5, 4, 0.12."""

from decimal import Decimal

import polars as pl


def spell_numbers(column: pl.Series) -> pl.Series:
    """Convert each number to its shortest usual text: no trailing zeros, no exponent, no binary rounding error.

    Fifteen significant digits are kept, as spreadsheets do, so 0.30000000000000004 is 0.3.

    Args:
        column: any integer or floating type; NaN stays ``NaN`` so that it can be reported.

    >>> spell_numbers(pl.Series([0.5, 16.0, None])).to_list()
    ['0.5', '16', None]
    """
    if not column.dtype.is_float():
        return column.cast(pl.String)
    distinct = column.unique().drop_nulls()
    digits = 7 if column.dtype == pl.Float32 else 15
    spellings = [_spell(value, digits) for value in distinct]
    return column.replace_strict(distinct, pl.Series(spellings, dtype=pl.String), default=None, return_dtype=pl.String)


def _spell(value: float, digits: int) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return str(value).replace("nan", "NaN")
    text = format(Decimal(f"{value:.{digits}g}"), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
