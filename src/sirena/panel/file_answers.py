"""Answering a long file in parts: columns are prepared once from all their distinct texts, then each part is answered.

Rules, each with a test of like name:

- the parts together equal what `interpret_frame` returns for the whole file, whatever the length of a part;
- if a row of any part has a mark, every part has the column of marks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..domain.site import Site
from .column_answers import ColumnAnswers, ColumnTally, DistinctSubjects, FurtherColumns, TablesFor
from .frame import Isolates, assemble, factorise_column
from .lookup import resolve_texts
from .placement import Existing, Placement, place_categories
from .sites import RowSites


@dataclass(frozen=True)
class PartAnswers:
    """The answers to the rows of one part of a file."""

    frame: pl.DataFrame
    """The rows with their answers, in the form `interpret_frame` returns."""
    tallies: tuple[ColumnTally, ...]
    """Counts of each test column, in order."""
    unread_specimens: int
    """Number of rows whose specimen stands for no known body site."""


@dataclass(frozen=True)
class FileAnswers:
    """The test columns of a file, prepared for all its distinct texts."""

    isolates: Isolates
    """The roles of the file's columns; the rows of its frame are not used."""
    columns: tuple[ColumnAnswers, ...]
    codes: int
    """Number of distinct organisms."""
    pairs: int
    """Number of pairs of a distinct body site and a distinct organism."""
    stamp: str
    stamp_column: str
    marked_headers: frozenset[str] = frozenset()
    """Headers of the test columns that get a column of marks."""

    @classmethod
    def prepare(
        cls,
        isolates: Isolates,
        texts: Mapping[str, Sequence[str]],
        tables_for: TablesFor,
        *,
        further_columns: FurtherColumns,
        existing: Existing,
        stamp: str,
    ) -> Self:
        """Create the object, with the answers to all combinations of a file's distinct texts prepared.

        Args:
            isolates: the roles of the file's columns, with a frame that has all columns of the file.
            texts: the distinct texts of organisms, specimens and tests, by header.
            tables_for: returns the truth table of a test column.
            further_columns: the further columns to write next to the categories.
            existing: what to do with a category column that the file already has.
            stamp: release or edition that answered; the content of the last column.

        Raises:
            UsageError: the file already has a category column, and `existing` is `Existing.REFUSE`.
        """
        placements, stamp_column = place_categories(
            isolates.frame.columns,
            isolates.test_columns,
            isolates.category_columns,
            existing=existing,
            basis=further_columns.basis is not None,
        )
        codes = resolve_texts(_read(isolates, texts, isolates.organism_column))
        site = isolates.site
        specimens = [None] if isinstance(site, Site) else [*texts[site], None]
        distinct_sites = RowSites.of_specimens(specimens, np.zeros(0, dtype=np.int64)).sites
        subjects = DistinctSubjects((site,) if isinstance(site, Site) else distinct_sites, codes)
        columns = tuple(
            ColumnAnswers.prepare(
                placement, subjects, _read(isolates, texts, placement.header), tables_for, further_columns
            )
            for placement in placements
        )
        return cls(isolates, columns, len(codes), len(subjects.sites) * len(codes), stamp, stamp_column)

    @property
    def placements(self) -> list[Placement]:
        """The places and headers of the added columns, for each test column."""
        return [column.placement for column in self.columns]

    def with_marks(self, parts: Callable[[list[str]], Iterable[pl.DataFrame]]) -> Self:
        """Return a copy that knows which test columns need a column of marks: those with an answer that has a mark.

        Args:
            parts: takes headers and yields the file's rows with these columns, part by part. It is called twice; the
                second time, parts are read only until every column is decided.
        """
        roles = [self.isolates.organism_column, *([] if isinstance(self.isolates.site, Site) else [self.isolates.site])]
        occurs = np.zeros(self.pairs, dtype=bool)
        for frame in parts(roles):
            occurs[self._pairs(frame)[1]] = True
        pairs = np.flatnonzero(occurs)
        undecided_columns = [column for column in self.columns if column.could_be_marked(pairs)]
        marked_headers: set[str] = set()
        for frame in (
            parts([*roles, *(column.placement.header for column in undecided_columns)]) if undecided_columns else ()
        ):
            pair = self._pairs(frame)[1]
            marked_columns = [
                column for column in undecided_columns if column.is_marked(pair, _positions(frame, column))
            ]
            marked_headers.update(column.placement.header for column in marked_columns)
            undecided_columns = [
                column for column in undecided_columns if column.placement.header not in marked_headers
            ]
            if not undecided_columns:
                break
        return replace(self, marked_headers=frozenset(marked_headers))

    def of_part(self, frame: pl.DataFrame) -> PartAnswers:
        """Return the answers to some rows of the file.

        Args:
            frame: the rows, with organisms, specimens and tests as enumerations of all their texts.
        """
        sites, pair = self._pairs(frame)
        additions: dict[str, list[pl.Series]] = {}
        tallies = []
        for column in self.columns:
            has_marks = column.placement.header in self.marked_headers
            series, tally = column.of_part(pair, _positions(frame, column), has_marks=has_marks)
            additions.setdefault(column.placement.after, []).extend(series)
            tallies.append(tally)
        answered_frame = assemble(frame, self.placements, additions, self.stamp, self.stamp_column)
        return PartAnswers(answered_frame, tuple(tallies), len(sites.unread_rows))

    def _pairs(self, frame: pl.DataFrame) -> tuple[RowSites, NDArray[np.int64]]:
        sites = replace(self.isolates, frame=frame).row_sites()
        organisms = factorise_column(frame[self.isolates.organism_column])
        return sites, sites.rows * self.codes + organisms.rows


def _read(isolates: Isolates, texts: Mapping[str, Sequence[str]], header: str) -> list[str | None]:
    return isolates.read_texts(header, [*texts[header], None])


def _positions(frame: pl.DataFrame, column: ColumnAnswers) -> NDArray[np.int64]:
    return factorise_column(frame[column.placement.header]).rows
