"""The results that the files of a training held for one antimicrobial, as its report keeps them.

A model learns the organisms of a guideline from the edition alone, so its evidence does not show the hospital's own
results. These counts do, and later files are compared with them (`sirena.stewardship.drift`).
"""

import polars as pl

from sirena.training.cells import MIC_OF_CODE

TestedResults = dict[str, dict[str, dict[str, int]]]
"""Number of labelled results by organism (WHONET code), site and MIC (``<=0.5``)."""


def count_tested(tally_rows: pl.DataFrame | None) -> TestedResults:
    """Return the number of one antimicrobial's results by organism, body site and MIC, whatever their labels.

    Args:
        tally_rows: rows of `cells.tally` for the antimicrobial; None for no rows.

    >>> count_tested(pl.DataFrame({"organism": ["eco"], "site": ["urine"], "mic_code": [16], "weight": [3]}))
    {'eco': {'urine': {'4': 3}}}
    """
    tested_results: TestedResults = {}
    if tally_rows is None:
        return tested_results
    cells = tally_rows.group_by("organism", "site", "mic_code").agg(pl.col("weight").sum())
    for organism, site, code, results in cells.sort("organism", "site", "mic_code").iter_rows():
        tested_results.setdefault(organism, {}).setdefault(site, {})[MIC_OF_CODE[code]] = int(results)
    return tested_results
