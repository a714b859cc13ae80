"""The common part of exports for surveillance platforms: pathogens by the protocol's codes, patients, refusals."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

from sirena.domain.organisms import Rank
from sirena.guidelines.tables import parse_rank
from sirena.stewardship.isolate_facts import IsolateFacts
from sirena.stewardship.isolates import CountableIsolates
from sirena.stewardship.multidrug import Groups, parse_groups

UNKNOWN: Final = "UNK"
"""The platforms' word for an unknown value."""
REASONS: Final = {
    "no_organism": "no organism, an unknown one, or no growth",
    "no_date": "no specimen date that can be",
    "quality_control": "quality control",
    "not_human": "not from a human",
}
"""Reason why an isolate is not exported, by its word in the column ``excluded`` of `CountableIsolates.frame`."""
NO_PATHOGEN: Final = "no pathogen of the protocol"
OTHER_YEAR: Final = "another year"
SCREENING: Final = "taken to screen"


@dataclass(frozen=True, slots=True)
class Pathogen:
    """One pathogen of a protocol."""

    code: str
    rank: Rank
    group: str
    exceptions: Groups
    specimens: tuple[str, ...]
    """The protocol's specimens for this pathogen; empty if all of its specimens count."""
    drugs: tuple[str, ...]
    """WHONET codes of the protocol's antimicrobials; empty if all count."""


@cache
def read_pathogens(table: str) -> tuple[Pathogen, ...]:
    """Return the pathogens in a table in this module's folder, such as ``exports_glass.csv``."""
    with Path(__file__).with_name(table).open(encoding="utf-8", newline="") as stream:
        return tuple(
            Pathogen(
                row["pathogen"],
                parse_rank(row["rank"]),
                row["group"],
                parse_groups(row.get("except", "")),
                tuple(row.get("specimens", "").split()),
                tuple(row.get("drugs", "").split()),
            )
            for row in csv.DictReader(stream)
        )


def pathogens_of(facts: IsolateFacts, pathogens: Sequence[Pathogen]) -> pl.Series:
    """Return the protocol's code of each row's pathogen; null for other organisms."""
    names = pl.repeat(None, facts.rows, dtype=pl.String, eager=True)
    for pathogen in pathogens:
        members = pl.Series(facts.members(pathogen.rank, pathogen.group, pathogen.exceptions))
        names = names.set(members, pathogen.code)
    return names


def patient_names(isolates: CountableIsolates) -> pl.Series:
    """Return each row's patient: a digest that is valid in this run only, or the row number if no patient is named."""
    return isolates.frame.select(
        pl.col("patient").cast(pl.String).fill_null(pl.format("row {}", pl.col("row"))).alias("patient")
    ).to_series()


def refusal(year: int, *, is_specimen: pl.Expr, no_specimen: str) -> pl.Expr:
    """Return an expression for the reason why a row is not exported; null if it is exported.

    Args:
        year: year of the specimens to export.
        is_specimen: True if the specimen is one of the protocol's.
        no_specimen: reason to give if it is not.
    """
    return (
        pl.when(pl.col("excluded") == "no_organism")
        .then(pl.lit(REASONS["no_organism"]))
        .when(pl.col("PATHOGEN").is_null())
        .then(pl.lit(NO_PATHOGEN))
        .when(pl.col("excluded").is_not_null())
        .then(pl.col("excluded").replace_strict(REASONS, default=None))
        .when(pl.col("year").is_null())
        .then(pl.lit(REASONS["no_date"]))
        .when(pl.col("year") != year)
        .then(pl.lit(OTHER_YEAR))
        .when("screening")
        .then(pl.lit(SCREENING))
        .when(~is_specimen.fill_null(value=False))
        .then(pl.lit(no_specimen))
        .alias("refusal")
    )
