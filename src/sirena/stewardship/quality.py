"""Counts of what is missing or looks wrong in a file: empty fields, likely contaminants, differing categories.

Rules, each with a test of like name:

- a field counts as missing in a row if it is empty or cannot be read;
- a skin organism from blood is a likely contaminant (Hall and Lyman, Clin Microbiol Rev 2006;19:788);
- the laboratory's category is compared with the guideline's if both exist, before expert rules.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl

from sirena.domain.category import Category
from sirena.stewardship.isolate_facts import IsolateFacts
from sirena.stewardship.isolates import CountableIsolates
from sirena.whonet.file import WhonetFile

_FIELDS: Final = ("patient", "date", "specimen", "ward", "ward_type", "sex", "age_group", "origin")
_SKIN_GENERA: Final = r"^(?:Corynebacterium|Cutibacterium|Propionibacterium|Micrococcus|Bacillus) "
_STAPHYLOCOCCI: Final = r"^Staphylococcus[ ,]"
_NO_CONTAMINANTS: Final = (
    *("Staphylococcus aureus", "Staphylococcus lugdunensis", "Staphylococcus sp.", "Bacillus anthracis"),
    "Corynebacterium diphtheriae",
)
_DECIDED: Final = [category.value for category in Category if category is not Category.NI]


@dataclass(frozen=True, slots=True)
class ColumnDifference:
    """Number of rows of one test column in which the laboratory's category differs from the guideline's."""

    column: str
    compared_results: int
    differing_results: int


@dataclass(frozen=True)
class Quality:
    """Counts about the quality of a file's data."""

    missing: tuple[tuple[str, int], ...]
    """Number of rows without a value, by field."""
    rows: int
    blood: int
    """Number of isolates from blood."""
    contaminants: int
    """Number of isolates from blood that are skin organisms."""
    disagreements: tuple[ColumnDifference, ...]
    """Columns that could be compared, those with most differences first."""

    @classmethod
    def added(cls, parts: Iterable["Quality"]) -> Self:
        """Add up the counts of the parts of a file."""
        missing: Counter[str] = Counter()
        compared_results: Counter[str] = Counter()
        differing_results: Counter[str] = Counter()
        rows = blood = contaminants = 0
        for part in parts:
            missing.update(dict(part.missing))
            compared_results.update(
                {difference.column: difference.compared_results for difference in part.disagreements}
            )
            differing_results.update(
                {difference.column: difference.differing_results for difference in part.disagreements}
            )
            rows, blood, contaminants = rows + part.rows, blood + part.blood, contaminants + part.contaminants
        disagreements = (
            ColumnDifference(column, count, differing_results[column]) for column, count in compared_results.items()
        )
        return cls(tuple(missing.items()), rows, blood, contaminants, _gravest_first(disagreements))


def data_quality(file: WhonetFile, isolates: CountableIsolates, facts: IsolateFacts) -> Quality:
    """Return counts about the quality of a file's data.

    Args:
        file: the file.
        isolates: the file's isolates, with those that no antibiogram counts marked as excluded.
        facts: the file's facts and categories, before expert rules.
    """
    frame = isolates.frame
    blood = frame.filter((pl.col("site") == "blood") & pl.col("excluded").is_null())["species"]
    is_skin = (blood.str.contains(_SKIN_GENERA) | blood.str.contains(_STAPHYLOCOCCI)) & ~blood.is_in(_NO_CONTAMINANTS)
    return Quality(
        tuple((field, frame[field].null_count()) for field in _FIELDS),
        frame.height,
        blood.len(),
        int(is_skin.sum()),
        _gravest_first(_disagreements(file, facts)),
    )


def _gravest_first(differences: Iterable[ColumnDifference]) -> tuple[ColumnDifference, ...]:
    return tuple(sorted(differences, key=lambda difference: (-difference.differing_results, difference.column)))


def _disagreements(file: WhonetFile, facts: IsolateFacts) -> Iterator[ColumnDifference]:
    for test in facts.tests:
        header = file.category_columns.get(test.header)
        if header is None:
            continue
        own = file.frame[header].str.strip_chars().str.to_uppercase()
        own_category = test.category.cast(pl.String)
        is_comparable = (own.is_in(_DECIDED) & own_category.is_in(_DECIDED)).fill_null(value=False).to_numpy()
        if is_comparable.any():
            is_different = (own != own_category).fill_null(value=False).to_numpy()
            yield ColumnDifference(
                test.column.name, int(is_comparable.sum()), int(np.logical_and(is_comparable, is_different).sum())
            )
