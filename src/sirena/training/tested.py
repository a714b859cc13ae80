"""The results that the files of a training held for one antimicrobial, as its report keeps them.

A model learns the organisms of a guideline from the edition alone, so its evidence does not show the hospital's own
results. These counts do, and later files are compared with them (`sirena.stewardship.drift`).
"""

import polars as pl

from sirena.training.cells import MIC_OF_CODE

TestedResults = dict[str, dict[str, dict[str, int]]]
"""Number of labelled results by organism (WHONET code), site and MIC (``<=0.5``)."""


def count_tested(counted: pl.DataFrame | None) -> TestedResults:
    """Return the number of one antimicrobial's results by organism, body site and MIC, whatever their labels.

    Args:
        counted: rows of `cells.tally` for the antimicrobial; None for no rows.

    >>> count_tested(pl.DataFrame({"organism": ["eco"], "site": ["urine"], "mic_code": [16], "weight": [3]}))
    {'eco': {'urine': {'4': 3}}}
    """
    tested: TestedResults = {}
    if counted is None:
        return tested
    cells = counted.group_by("organism", "site", "mic_code").agg(pl.col("weight").sum())
    for organism, site, code, results in cells.sort("organism", "site", "mic_code").iter_rows():
        tested.setdefault(organism, {}).setdefault(site, {})[MIC_OF_CODE[code]] = int(results)
    return tested
