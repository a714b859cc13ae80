"""*Staphylococcus aureus* split by resistance to methicillin, after first isolates are chosen.

Rules, each with a test of like name:

- an isolate is MRSA if its field ``MRSA`` is positive, or if it is resistant to oxacillin or cefoxitin;
- any other isolate is MSSA if its field is negative, or if it is susceptible to one of them; without such data it is
  neither.
"""

from typing import Final

import numpy as np
import polars as pl

from sirena.stewardship.results import NS, R, Results, S

SPECIES: Final = "Staphylococcus aureus"
RESISTANT: Final = f"{SPECIES} (MRSA)"
SUSCEPTIBLE: Final = f"{SPECIES} (MSSA)"
SURROGATES: Final = ("OXA", "FOX")
"""Antimicrobials that are tested for resistance to methicillin."""


def with_methicillin_rows(isolates: pl.DataFrame, results: Results) -> pl.DataFrame:
    """Return all isolates, and those of *S. aureus* a second time, as species `RESISTANT` or `SUSCEPTIBLE`.

    Args:
        isolates: counted isolates, with ``row``, ``species`` and ``mrsa``.
        results: results of the same file or part of a file.
    """
    aureus = isolates.filter(pl.col("species") == SPECIES)
    rows = aureus["row"].to_numpy()
    resistant = aureus["mrsa"].fill_null(value=False).to_numpy().copy()
    susceptible = (~aureus["mrsa"]).fill_null(value=False).to_numpy().copy()
    for drug in results.values():
        if drug.column.drug in SURROGATES:
            kinds = drug.kinds[rows]
            resistant |= np.isin(kinds, (R, NS))
            susceptible |= kinds == S
    susceptible &= ~resistant
    parts = [
        aureus.filter(pl.Series(is_chosen)).with_columns(pl.lit(name).alias("species"))
        for name, is_chosen in ((RESISTANT, resistant), (SUSCEPTIBLE, susceptible))
    ]
    return pl.concat([isolates, *parts])
