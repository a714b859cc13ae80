"""Making texts harmless that a spreadsheet would run as formulas, such as ``=HYPERLINK(…)`` in a cell.

A workbook marks each cell as a text; a CSV file cannot. So in the CSV for Excel such a cell gets an apostrophe, which
makes it a text. Plain CSV and Parquet are for programs and stay unchanged.

Source: OWASP, "CSV Injection".
"""

from typing import Final

import polars as pl

_RUNS: Final = r"^\s*(?:[=@]|[+\-]\s*[^\s\d.,])|^[\t\r]"
"""Pattern of texts that are run; a sign alone (MRSA ``+``) and a negative number are not."""
_AFTER_A_NUMBER: Final = r"^\s*[+\-][\d.,\s]*[^\d.,\s]"


def without_formulas(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table in which no text is run as a formula; columns that are not texts stay unchanged.

    >>> without_formulas(pl.DataFrame({"ward": ["=1+1", "+", "-2", "UCI"]}))["ward"].to_list()
    ["'=1+1", '+', '-2', 'UCI']
    """
    text = pl.col(pl.String)
    runs = text.str.contains(_RUNS) | text.str.contains(_AFTER_A_NUMBER)
    return frame.with_columns(pl.when(runs).then(pl.lit("'") + text).otherwise(text).name.keep())
