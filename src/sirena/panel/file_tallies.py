"""What the answers to a file come to, over its columns and parts: their counts, and the grounds on which they rest."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..domain.category import Category, Reason
from ..domain.ground import Mark
from ..domain.truth_table import ANSWERS, NOT_ASKED, Answer, answer_code
from .column_answers import ColumnTally

GROUNDS_SHEET: Final = "Grounds"
"""Name of the sheet of grounds in a workbook."""
_STRUCTURE: Final = (
    *("edition", "kind", "statement", "rank", "group", "site", "susceptible", "resistant", "middle"),
    *("source", "readings", "doubt", "remark"),
)
_HEADER: Final = ("column", "results", "mark", *_STRUCTURE, "english", "spanish")


class AnswerCounts:
    """Counts of the answers to a file, added up column by column."""

    def __init__(self, *, rows: int, columns: int, unknown_specimens: int = 0) -> None:
        """Create the counts; nothing is counted yet.

        Args:
            rows: isolates of the file.
            columns: number of test columns to be answered.
            unknown_specimens: number of rows whose specimen names no known site.
        """
        self.rows = rows
        self.columns = columns
        self.unknown_specimens = unknown_specimens
        self.marks: dict[Mark, int] = {}
        self.without_model: dict[str, int] = {}
        """Number of results of each column that has no model, by header."""
        self._counts: NDArray[np.int64] = np.zeros(len(ANSWERS), dtype=np.int64)

    def add(self, tally: ColumnTally) -> None:
        """Add the answers of one test column."""
        self._counts = self._counts + tally.counts
        cells_without_model = int(tally.counts[answer_code(Category.NI, Reason.NO_MODEL)])
        if cells_without_model:
            self.without_model[tally.column] = cells_without_model
        for mark, count in tally.marks.items():
            self.marks[mark] = self.marks.get(mark, 0) + count

    @property
    def answers(self) -> list[tuple[Answer, int]]:
        """Each answer that was given, with how often, in the order of `ANSWERS`; empty MICs are left out."""
        return [
            (answer, count)
            for code, (answer, count) in enumerate(zip(ANSWERS, self._counts.tolist(), strict=True))
            if count and code != NOT_ASKED and answer is not None
        ]

    @property
    def results(self) -> int:
        """Number of MICs that were answered."""
        return sum(count for _, count in self.answers)

    @property
    def categories(self) -> dict[Category, int]:
        """Number of results of each category that was given."""
        categories: dict[Category, int] = {}
        for answer, count in self.answers:
            categories[answer.category] = categories.get(answer.category, 0) + count
        return categories


class TalliesOfParts:
    """Counts of the answers in each column, added up over the parts of a file."""

    def __init__(self) -> None:
        """Create the sum; nothing is counted yet."""
        self._tallies: dict[str, ColumnTally] = {}

    def add(self, tallies: Iterable[ColumnTally]) -> None:
        """Add the tallies of one part of the file, one for each column."""
        for tally in tallies:
            before = self._tallies.get(tally.column)
            self._tallies[tally.column] = tally if before is None else before.with_part(tally)

    def of_columns(self) -> list[ColumnTally]:
        """Return the tally of each column of the whole file."""
        return list(self._tallies.values())


class GroundSheet:
    """The grounds of the answers in a file, added column by column: a sheet of a workbook.

    It holds the statements on which each column's answers rest, and how many answers rest on each.
    """

    def __init__(self) -> None:
        """Create the sheet without grounds."""
        self._rows: list[tuple[str, ...]] = []

    def add(self, tally: ColumnTally) -> None:
        """Add the grounds of the answers in one column, the most common first."""
        for use in sorted(tally.grounds, key=lambda use: -use.count):
            facts = use.ground.to_json()
            cells = [_spelt(facts.get(name, "")) for name in _STRUCTURE]
            mark = use.mark.value if use.mark else ""
            self._rows.append((tally.column, str(use.count), mark, *cells, use.ground.english(), use.ground.spanish()))

    def table(self) -> pl.DataFrame:
        """Return the sheet as a table of texts."""
        return pl.DataFrame(self._rows, schema=dict.fromkeys(_HEADER, pl.String), orient="row")


def _spelt(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
