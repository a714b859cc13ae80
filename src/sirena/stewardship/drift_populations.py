"""The results compared for drift: those of a file in a period, and those held when a release's models were trained.

The same tables answer both, so that a difference comes from the results and never from the tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from sirena.domain.errors import UsageError
from sirena.domain.mic import parse_mic
from sirena.domain.site import Site
from sirena.domain.test_column import parse_test_column
from sirena.domain.truth_table import ANSWERS, NOT_ASKED
from sirena.panel.column_answers import TablesFor
from sirena.stewardship.isolates import CountableIsolates
from sirena.stewardship.periods import Period, quarter_of
from sirena.stewardship.results import Results

POPULATION: Final = pl.Schema(
    {
        "column": pl.String(),
        "organism": pl.String(),
        "site": pl.String(),
        "mic": pl.Int16(),
        "answer": pl.UInt8(),
        "n": pl.Int64(),
    }
)
"""Columns of a population: model column, organism (null if unknown), site, MIC (`Mic.code`, below zero if there is
none),
answer (position in `ANSWERS`), and number of such results.
"""
_KEYS: Final = ("column", "organism", "site", "mic", "answer")
Counts = Mapping[str, Mapping[str, Mapping[str, int]]]
"""Number of results by organism, site and MIC as text."""


@dataclass(frozen=True)
class TrainingCounts:
    """Counts of results that the trainings of a release's models kept."""

    tested_results: Mapping[str, Counts] = field(default_factory=dict)
    """Number of results by model column."""
    without_results: tuple[str, ...] = ()
    """Model columns whose training had no labelled results."""
    columns_without_counts: tuple[str, ...] = ()
    """Model columns whose training kept no such counts: by another version of Sirena, or a foreign model."""


def population_of_file(isolates: CountableIsolates, results: Results, period: Period | None) -> pl.DataFrame:
    """Return the results of a file, with the columns of `POPULATION`; repeated isolates count, as in training.

    Args:
        isolates: isolates of the file.
        results: results of the same rows.
        period: period of the specimens' dates; None for every row.
    """
    rows = isolates.frame if period is None else isolates.frame.filter(period.holds())
    positions = rows["row"].to_numpy()
    parts = [POPULATION.to_frame()]
    for column, drug in results.items():
        answered_rows = rows.select("organism", "site").with_columns(
            pl.lit(column).alias("column"),
            pl.Series("mic", drug.mics[positions].astype(np.int16)),
            pl.Series("answer", drug.answers[positions]),
        )
        counted_rows = answered_rows.filter(pl.col("answer") != NOT_ASKED).group_by(_KEYS).agg(pl.len().alias("n"))
        parts.append(counted_rows.cast(POPULATION).select(POPULATION.names()))
    return pl.concat(parts).sort(_KEYS)


def population_of_training(training: TrainingCounts, tables_for: TablesFor) -> pl.DataFrame:
    """Return the results that trainings kept, with the columns of `POPULATION`, answered by today's tables.

    Args:
        training: the counts.
        tables_for: returns the truth table of a test column; a column without a table is left out.
    """
    cells: list[tuple[str, str, str, int, int, int]] = []
    for column, organisms in training.tested_results.items():
        test_column = parse_test_column(column)
        table = None if test_column is None else tables_for(test_column)
        if table is None:
            continue
        for organism, site, mics in ((name, site, mics) for name, at in organisms.items() for site, mics in at.items()):
            codes = np.array([parse_mic(text).code for text in mics], dtype=np.int16)
            answers = table.look_up([organism], codes, Site(site))[0]
            counted_cells = zip(codes.tolist(), answers.tolist(), mics.values(), strict=True)
            cells += [(column, organism, site, *cell) for cell in counted_cells]
    return pl.DataFrame(cells, POPULATION, orient="row").sort(_KEYS)


def last_quarter(isolates: CountableIsolates) -> Period | None:
    """Return the calendar quarter of a file's last specimen; None if no row has a date."""
    last_day = isolates.frame["date"].max()
    if not isinstance(last_day, date):
        return None
    return Period.read(quarter_of(last_day))


def year_before(period: Period) -> Period:
    """Return the twelve months before a period.

    >>> str(year_before(Period.read("2025-Q3")))
    '2024-07-01 – 2025-06-30'
    """
    first = period.first
    # the 29th of February has no day of its own a year before
    year_ago = date(first.year - 1, 3, 1) if (first.month, first.day) == (2, 29) else first.replace(year=first.year - 1)
    return Period(year_ago, date.fromordinal(first.toordinal() - 1))


def require_results(population: pl.DataFrame, period: Period | None) -> None:
    """Check that a population has results.

    Raises:
        UsageError: the population is empty.
    """
    if population.is_empty():
        range_words = f"between {period.first} and {period.last}" if period is not None else "at all"
        raise UsageError(f"the file holds no result {range_words}", hint="`sirena inspect` shows what the file holds")


def is_answered() -> pl.Expr:
    """Return an expression for the rows of a population that have a category."""
    return pl.col("answer").is_in(
        [code for code, answer in enumerate(ANSWERS) if answer is not None and answer.reason is None]
    )
