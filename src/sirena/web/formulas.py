"""Texts that a spreadsheet would run: a cell of a file from elsewhere may hold ``=HYPERLINK(…)``.

A workbook says of each cell that it is a text; a delimited text cannot. So in the form that Excel opens by double click
such a cell is given an apostrophe, which makes it a text. Plain CSV and Parquet are for programs and stay as they are.

Source: OWASP, "CSV Injection".
"""

from typing import Final

import polars as pl

_RUNS: Final = r"^\s*(?:[=@]|[+\-]\s*[^\s\d.,])|^[\t\r]"
"""A sign alone (MRSA ``+``) and a negative number run nothing."""
_AFTER_A_NUMBER: Final = r"^\s*[+\-][\d.,\s]*[^\d.,\s]"


def without_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table in which no text begins a formula; columns that are not texts stay as they are.

    >>> without_formulas(pl.DataFrame({"ward": ["=1+1", "+", "-2", "UCI"]}))["ward"].to_list()
    ["'=1+1", '+', '-2', 'UCI']
    """
    text = pl.col(pl.String)
    runs = text.str.contains(_RUNS) | text.str.contains(_AFTER_A_NUMBER)
    return frame.with_columns(pl.when(runs).then(pl.lit("'") + text).otherwise(text).name.keep())
