"""The columns that one test column adds to a table: categories, marks, grounds and reasons, for any number of rows.

An answer depends only on body site, organism and MIC. So a column is prepared once from their distinct texts; the
answers of rows, of a whole table or of a part of a long file, are then looked up in an array.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Self

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from ..domain.category import Category, Reason
from ..domain.ground import Ground, Mark
from ..domain.language import Language
from ..domain.site import Site
from ..domain.test_column import TestColumn
from ..domain.truth_table import ANSWERS, NOT_ASKED, TruthTable
from .basis import IS_CATEGORY, MARKS, ground_sentence, mark_position, reason_sentence
from .lookup import cross_answers, encode_texts
from .placement import Placement

TablesFor = Callable[[TestColumn], TruthTable | None]
"""Function that returns the truth table that answers a test column; None if no table does."""

CATEGORIES: Final = pl.Enum([category.value for category in Category])
"""Type of the category columns; writers of formats without enumerations cast it to String."""
REASONS: Final = pl.Enum([reason.value for reason in Reason])
"""Type of the ``_reason`` columns."""
MARK_TYPE: Final = pl.Enum([mark.value for mark in Mark])
"""Type of the ``_mark`` columns."""

CATEGORY_OF_ANSWER: Final = pl.Series([answer and answer.category.value for answer in ANSWERS], dtype=CATEGORIES)
_REASON_OF_ANSWER: Final = pl.Series(
    [answer.reason.value if answer and answer.reason else None for answer in ANSWERS], dtype=REASONS
)
_NUMBER_OF_ANSWER: Final = CATEGORY_OF_ANSWER.to_physical().fill_null(len(Category)).to_numpy()
"""For each position in `ANSWERS`, the position in `CATEGORIES`; one after the last if nothing was asked."""
_MARK_OF_POSITION: Final = pl.Series([mark and mark.value for mark in MARKS], dtype=MARK_TYPE)
_IS_CATEGORY: Final = np.array(IS_CATEGORY)


@dataclass(frozen=True, slots=True)
class GroundUse:
    """How many answers of a column rest on one ground."""

    ground: Ground
    mark: Mark | None
    count: int


@dataclass(frozen=True)
class ColumnTally:
    """How often each answer was given in one test column, and on which grounds."""

    column: str
    """Header of the test column, as in the file."""
    counts: NDArray[np.int64]
    """Number of rows by position in `ANSWERS`; shape (len(ANSWERS),)."""
    grounds: tuple[GroundUse, ...]
    """Grounds of the answers, in the order of the organisms, including those of NI that a guideline's row gives."""
    marks: Mapping[Mark, int]
    """Number of categories with each mark."""

    def with_part(self, other: Self) -> Self:
        """Add the counts of another part of the column; grounds are left out, since few readers need them."""
        marks = {mark: self.marks.get(mark, 0) + other.marks.get(mark, 0) for mark in {**self.marks, **other.marks}}
        return replace(self, counts=self.counts + other.counts, grounds=(), marks=marks)


@dataclass(frozen=True)
class _Grounds:
    """The distinct grounds and marks of one column's table, and which of them belongs to each site and organism."""

    distinct: list[tuple[Ground | None, int]]
    """Pairs of a ground and a position in `MARKS`; the first pair stands for no ground."""
    of_pair: NDArray[np.int64]
    """Position in `distinct` for each pair of body site and organism, ordered by site first."""

    @classmethod
    def of(cls, table: TruthTable | None, sites: tuple[Site, ...], organisms: list[str | None]) -> "_Grounds":
        position: dict[tuple[Ground | None, int], int] = {(None, 0): 0}
        if table is None or not table.grounds:
            return cls(list(position), np.zeros(len(sites) * len(organisms), dtype=np.int64))
        of_pair = []
        for site in sites:
            # rows of a table share their grounds, and comparing objects is much quicker than hashing their fields
            position_of_ground: dict[int, int] = {}
            for organism in organisms:
                ground = table.ground(organism, site)
                if id(ground) not in position_of_ground:
                    position_of_ground[id(ground)] = position.setdefault(
                        (ground, mark_position(ground, site)), len(position)
                    )
                of_pair.append(position_of_ground[id(ground)])
        return cls(list(position), np.array(of_pair, dtype=np.int64))


@dataclass(frozen=True)
class DistinctSubjects:
    """The distinct body sites and organisms of a table, for which every test column has answers."""

    sites: tuple[Site, ...]
    organisms: list[str | None]
    """WHONET codes, from `lookup.resolve_texts`."""


@dataclass(frozen=True)
class FurtherColumns:
    """Which further columns are written next to the categories."""

    basis: Language | None = None
    """Language of grounds and reasons; None leaves both out."""
    source: Callable[[TestColumn], str] | None = None
    """Returns the text after each ground of a test column, such as the model that answered."""


@dataclass(frozen=True)
class ColumnAnswers:
    """One test column, with an answer prepared for each combination of its table's distinct texts."""

    placement: Placement
    width: int
    """Number of distinct MICs."""
    answers: NDArray[np.uint8]
    """Position in `ANSWERS` for each body site, organism and MIC, ordered by site first, then organism."""
    grounds: _Grounds
    sentences: pl.Series | None
    """Texts of the ``_basis`` column: one for each ground, then one for each answer; None without that column."""

    @classmethod
    def prepare(
        cls,
        placement: Placement,
        subjects: DistinctSubjects,
        mics: list[str | None],
        tables_for: TablesFor,
        further_columns: FurtherColumns,
    ) -> Self:
        """Create the object, with the answers to all combinations of its distinct texts prepared.

        Args:
            placement: places and headers of the columns that are added.
            subjects: the table's distinct body sites and organisms.
            mics: the column's distinct texts.
            tables_for: returns the truth table that answers the column; if it returns None, values are refused with
                `Reason.NO_MODEL`.
            further_columns: the further columns to write next to the categories.
        """
        table = tables_for(placement.column)
        codes = encode_texts(mics, placement.column.drug)
        cross = cross_answers(placement.column, table, subjects.organisms, codes, subjects.sites)
        grounds = _Grounds.of(table, subjects.sites, subjects.organisms)
        sentences = None
        if further_columns.basis is not None:
            origin = (
                further_columns.source(placement.column)
                if further_columns.source is not None and table is not None
                else ""
            )
            sentences = _sentences(grounds, further_columns.basis, origin)
        return cls(placement, len(mics), cross.ravel(), grounds, sentences)

    def of_part(
        self, pair: NDArray[np.int64], places: NDArray[np.int64], *, has_marks: bool
    ) -> tuple[list[pl.Series], ColumnTally]:
        """Return the same as `of_rows` for some rows of a long file, without counting grounds.

        Args:
            pair: as for `of_rows`.
            places: position in `answers` of each row's answer.
            has_marks: whether the test column has a column of marks.
        """
        answers = self.answers.take(places)
        rows = self.grounds.of_pair[pair] if has_marks or self.sentences is not None else None
        marks = self.marks(rows, answers) if has_marks and rows is not None else None
        if has_marks and marks is None:
            marks = pl.repeat(None, len(answers), dtype=MARK_TYPE, eager=True)
        counts = np.bincount(answers, minlength=len(ANSWERS)).astype(np.int64)
        tally = ColumnTally(self.placement.header, counts, (), _count_marks(marks))
        return self._columns(answers, self._numbers.take(places), rows, marks), tally

    def of_rows(self, pair: NDArray[np.int64], mics: NDArray[np.int64]) -> tuple[list[pl.Series], ColumnTally]:
        """Return the columns to insert after a test column, for all rows of a table, and the counts of its answers.

        Args:
            pair: for each row, the position of its pair of body site and organism; pairs are ordered by site first.
            mics: position of each row's MIC.
        """
        answers = self.answers[pair * self.width + mics]
        rows = self.grounds.of_pair[pair]
        marks = self.marks(rows, answers)
        columns = self._columns(answers, _NUMBER_OF_ANSWER[answers], rows, marks)
        return columns, _tally(self.placement.header, answers, self.grounds, rows, marks)

    @cached_property
    def _numbers(self) -> NDArray[np.uint8]:
        """For each position of `answers`, the number of the answer's category (see `_NUMBER_OF_ANSWER`)."""
        numbers: NDArray[np.uint8] = _NUMBER_OF_ANSWER[self.answers]
        return numbers

    def _columns(
        self,
        answers: NDArray[np.uint8],
        numbers: NDArray[np.uint8],
        rows: NDArray[np.int64] | None,
        marks: pl.Series | None,
    ) -> list[pl.Series]:
        placement = self.placement
        # by way of Arrow, since a Series of an array imports numpy's masked arrays
        buffers = [None, pa.py_buffer(np.ascontiguousarray(numbers))]
        columns = [pl.Series(placement.category, pa.Array.from_buffers(pa.uint8(), len(numbers), buffers))]
        if marks is not None:
            columns.append(marks.alias(placement.mark))
        if self.sentences is not None and rows is not None:
            columns.append(_basis(self.sentences, len(self.grounds.distinct), rows, answers).alias(placement.basis))
            columns.append(_REASON_OF_ANSWER.gather(pl.Series(answers)).alias(placement.reason))
        return columns

    def could_be_marked(self, pairs: NDArray[np.int64]) -> bool:
        """Tell whether a category may have a mark, for any of these pairs of body site and organism."""
        marks = np.array([mark for _, mark in self.grounds.distinct], dtype=np.uint8)
        return bool(marks[self.grounds.of_pair[pairs]].any())

    def is_marked(self, pair: NDArray[np.int64], mics: NDArray[np.integer]) -> bool:
        """Tell whether any of these rows has a category with a mark."""
        return bool(self._carries_mark[pair * self.width + mics].any())

    @cached_property
    def _carries_mark(self) -> NDArray[np.bool_]:
        """For each position of `answers`, whether the answer has a mark."""
        marks = np.array([mark for _, mark in self.grounds.distinct], dtype=bool)
        carries: NDArray[np.bool_] = _IS_CATEGORY[self.answers] & np.repeat(marks[self.grounds.of_pair], self.width)
        return carries

    def marks(self, rows: NDArray[np.int64], answers: NDArray[np.uint8]) -> pl.Series | None:
        """Return the mark of each row's category; None if no row has a mark."""
        marks = np.array([mark for _, mark in self.grounds.distinct], dtype=np.uint8)
        if not marks.any():
            return None
        mark_positions = np.where(_IS_CATEGORY[answers], marks[rows], 0)
        return _MARK_OF_POSITION.gather(pl.Series(mark_positions)) if mark_positions.any() else None


def as_categories(headers: Iterable[str]) -> list[pl.Expr]:
    """Return Polars expressions that turn columns of category codes, given by header, into categories.

    All columns of a table are converted together, since each call of Polars waits for a thread.

    >>> codes = pl.DataFrame({"Eti_AMK_NM": pl.Series([0, 3], dtype=pl.UInt8)})
    >>> codes.select(as_categories(["Eti_AMK_NM"])).to_series().to_list()
    ['S', 'R']
    """
    return [pl.col(header).cat.to(CATEGORIES, strict=False) for header in headers]


def _sentences(grounds: _Grounds, language: Language, origin: str) -> pl.Series:
    """Return the sentence of each ground, followed by the sentence of each answer without a ground."""
    ending = f" · {origin}" if origin else ""
    sentences: list[str | None] = [
        None if ground is None else ground_sentence(ground, MARKS[mark], language) + ending
        for ground, mark in grounds.distinct
    ]
    reasons = [reason_sentence(position, language) for position in range(len(ANSWERS))]
    return pl.Series([*sentences, *reasons], dtype=pl.String)


def _basis(sentences: pl.Series, grounds: int, rows: NDArray[np.int64], answers: NDArray[np.uint8]) -> pl.Series:
    """Return the sentence of each row's answer: its ground, else its reason; null if the MIC is empty."""
    row_sentences = sentences.gather(pl.Series(np.where(rows == 0, grounds + answers.astype(np.int64), rows)))
    return row_sentences.zip_with(pl.Series(answers != NOT_ASKED), pl.Series([None], dtype=pl.String))


def _tally(
    header: str, answers: NDArray[np.uint8], grounds: _Grounds, rows: NDArray[np.int64], marks: pl.Series | None
) -> ColumnTally:
    counts = np.bincount(answers, minlength=len(ANSWERS)).astype(np.int64)
    uses = np.bincount(rows[answers != NOT_ASKED], minlength=len(grounds.distinct)).tolist()
    return ColumnTally(
        header,
        counts,
        tuple(
            GroundUse(ground, MARKS[mark], count)
            for (ground, mark), count in zip(grounds.distinct, uses, strict=True)
            if ground is not None and count
        ),
        _count_marks(marks),
    )


def _count_marks(marks: pl.Series | None) -> dict[Mark, int]:
    return {mark: int((marks == mark.value).sum()) for mark in Mark} if marks is not None else {}
