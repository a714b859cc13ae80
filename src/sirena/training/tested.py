"""What the files of a training held for one antimicrobial, as its report keeps it.

A model of a guideline's own organisms is learnt from the edition alone, so what it was learnt from says nothing of the
hospital it was made in. These counts do: later files are compared with them (`sirena.stewardship.drift`).
"""

import polars as pl

from sirena.training.cells import MIC_OF_CODE

TestedResults = dict[str, dict[str, dict[str, int]]]
"""Number of labelled results by organism (WHONET code), site and MIC (``<=0.5``)."""


def count_tested(counted: pl.DataFrame | None) -> TestedResults:
    """Count the results of one antimicrobial, whatever their labels.

    Args:
        counted: rows of `cells.tally` for it; None for no rows.
    """
    tested: TestedResults = {}
    if counted is None:
        return tested
    cells = counted.group_by("organism", "site", "mic_code").agg(pl.col("weight").sum())
    for organism, site, code, results in cells.sort("organism", "site", "mic_code").iter_rows():
        tested.setdefault(organism, {}).setdefault(site, {})[MIC_OF_CODE[code]] = int(results)
    return tested
