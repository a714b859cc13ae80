"""The meaning of a cell such as ``MRSA`` or ``ESBL``: positive, negative, or nothing.

>>> read_mechanism(pl.Series(["+", "Negativo", "?", None])).to_list()
[True, False, None, None]
"""

from typing import Final

import polars as pl

_POSITIVE: Final = ("+", "pos", "positive", "positivo", "positiva", "y", "yes", "si", "sí")
_NEGATIVE: Final = ("-", "neg", "negative", "negativo", "negativa", "n", "no")


def read_mechanism(cells: pl.Series) -> pl.Series:
    """Return for each cell True if positive, False if negative, and null otherwise.

    >>> read_mechanism(pl.Series(["+", "neg", "?"])).to_list()
    [True, False, None]
    """
    words = cells.cast(pl.String).str.strip_chars().str.to_lowercase()
    return pl.select(
        pl.when(words.is_in(_POSITIVE)).then(pl.lit(True)).when(words.is_in(_NEGATIVE)).then(pl.lit(False))
    ).to_series()
