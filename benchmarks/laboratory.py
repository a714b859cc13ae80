"""A synthetic hospital as a laboratory would export it: with categories of its own, some of them wrong."""

import numpy as np
import polars as pl

from sirena.domain.test_column import parse_test_column
from sirena.guidelines.editions import load_edition
from sirena.guidelines.interpreter import compile_tables
from sirena.panel.frame import Isolates, interpret_frame
from sirena.whonet.synthetic import generate_hospital

WRONG = 0.005
"""Share of categories that contradict the guideline; 0.5 to 1 % in the public antibiograms of NCBI."""
UNLABELLED = 0.02
"""Share of results the laboratory did not interpret."""


def labelled_hospital(isolates: int, seed: int) -> pl.DataFrame:
    """Return a hospital whose ``Eti_`` columns hold CLSI 2025's categories, some wrong and some missing.

    A cell is empty if the guideline states nothing.
    """
    tables = compile_tables(load_edition("CLSI 2025"))
    random = np.random.default_rng(seed)
    frame = generate_hospital(isolates, seed)
    columns = {name: parsed for name in frame.columns if (parsed := parse_test_column(name)) and parsed.is_mic}
    answered = interpret_frame(Isolates(frame, "ORGANISM", columns, {}), lambda column: tables.get(column.drug))

    def as_the_laboratory(header: str) -> pl.Series:
        category = answered[f"Eti_{header}"].cast(pl.String)
        chance = pl.Series(random.random(isolates))
        other = pl.Series(np.array(["S", "I", "R"])[random.integers(0, 3, isolates)])
        return (
            pl.DataFrame({"category": category, "chance": chance, "other": other})
            .select(
                pl.when(pl.col("category").is_null() | (pl.col("category") == "NI") | (pl.col("chance") < UNLABELLED))
                .then(None)
                .when(pl.col("chance") > 1 - 1.5 * WRONG)  # one in three other categories is the right one
                .then(pl.col("other"))
                .otherwise(pl.col("category"))
                .alias(f"Eti_{header}")
            )
            .to_series()
        )

    return answered.with_columns(as_the_laboratory(header) for header in columns)
