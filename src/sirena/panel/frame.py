"""Answering a whole file, column by column, on Polars.

Each column's texts and organisms are reduced to their distinct values, the truth table answers the small
cross product, and one array take spreads the answers over the rows. Cost beyond the take follows the
variety of a column, which does not grow with the file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..domain.category import Category, Reason
from ..domain.ground import Ground, Mark
from ..domain.site import Site
from ..domain.test_column import TestColumn
from ..domain.truth_table import ANSWERS, NOT_ASKED, TruthTable
from .basis import IS_CATEGORY, MARKS, Language, ground_sentence, mark_position, reason_sentence
from .lookup import cross_answers, encode_texts, resolve_texts
from .placement import Existing, HeaderLayout, Placement, place_categories
from .sites import RowSites

if TYPE_CHECKING:
    from sirena.whonet.file import WhonetFile

TablesFor = Callable[[TestColumn], TruthTable | None]
"""Gives the table that answers a test column, or None when nothing does."""

CATEGORIES: Final = pl.Enum([category.value for category in Category])
"""Type of the category columns; cast to String by writers that know no enumeration."""
REASONS: Final = pl.Enum([reason.value for reason in Reason])
"""Type of the ``_reason`` columns."""
MARK_TYPE: Final = pl.Enum([mark.value for mark in Mark])
"""Type of the ``_mark`` columns."""

CATEGORY_OF_ANSWER: Final = pl.Series([answer and answer.category.value for answer in ANSWERS], dtype=CATEGORIES)
_REASON_OF_ANSWER: Final = pl.Series(
    [answer.reason.value if answer and answer.reason else None for answer in ANSWERS], dtype=REASONS
)
_MARK_OF_POSITION: Final = pl.Series([mark and mark.value for mark in MARKS], dtype=MARK_TYPE)
_IS_CATEGORY: Final = np.array(IS_CATEGORY)


@dataclass(frozen=True)
class Isolates:
    """Rows, and which column plays which part."""

    frame: pl.DataFrame
    """The rows, columns in the file's order."""
    organism_column: str
    """Header of the column that holds the organism, WHONET code or name."""
    test_columns: Mapping[str, TestColumn]
    """Header as found → test column to be answered."""
    category_columns: Mapping[str, str]
    """Header of a test column → header of its category, where there is one."""
    site: Site | str = Site.UNKNOWN
    """The site of every row, or the header of the column that holds each row's specimen."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Header → WHONET's field it holds (``MRSA``), by short name."""
    readings_of: Callable[[str, Sequence[str]], Mapping[str, str]] | None = None
    """Gives the distinct texts of a column that stand for others (a sum of two agents, a laboratory's own code)."""

    def headers_of(self, short: str) -> list[str]:
        """Return the headers that hold a WHONET field."""
        return [header for header, held in self.fields.items() if held == short and header in self.frame.columns]

    def read_texts(self, header: str, texts: Sequence[str | None]) -> list[str | None]:
        """Return what the distinct texts of a column are to be read as."""
        if self.readings_of is None:
            return list(texts)
        others = self.readings_of(header, [text for text in texts if text is not None])
        return [text if text is None else others.get(text, text) for text in texts]

    @classmethod
    def of_file(cls, file: "WhonetFile", *, zones: bool = False, site: Site | None = None) -> "Isolates":
        """Take a WHONET file's test columns.

        Args:
            file: as read.
            zones: take zone columns too, so that each of their values is refused by name; else they stay as they are.
            site: of every row; None lets the specimen decide, unknown in a file without specimens.

        Raises:
            SirenaError: no column names the organism.
        """
        columns = file.test_columns if zones else file.mic_columns
        return cls(
            file.frame,
            file.require_organism(),
            columns,
            file.category_columns,
            site or file.specimen_column or Site.UNKNOWN,
            file.fields,
            file.readings_of,
        )

    def row_sites(self) -> RowSites:
        """Return the site of each row."""
        if isinstance(self.site, Site):
            return RowSites.alike(self.site, self.frame.height)
        specimens = factorise_column(self.frame[self.site])
        return RowSites.of_specimens(specimens.texts, specimens.rows)


@dataclass(frozen=True, slots=True)
class GroundUse:
    """How often one ground decided in a column."""

    ground: Ground
    mark: Mark | None
    count: int


@dataclass(frozen=True)
class ColumnTally:
    """How often each answer was given in one column, and on what grounds."""

    column: str
    """Header of the test column, as found."""
    counts: NDArray[np.int64]
    """Shape (len(ANSWERS),): rows by position in `ANSWERS`."""
    grounds: tuple[GroundUse, ...]
    """What the answers rest on, in the order of the organisms; NI by a row of a guideline is among them."""
    marks: Mapping[Mark, int]
    """How many categories carry a mark."""


@dataclass(frozen=True)
class Factor:
    """A text column as distinct texts and each row's position among them."""

    texts: list[str | None]
    """The last is None, whether or not a cell is empty."""
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class _Grounds:
    """The distinct grounds and marks of one column's table, and which of them answers each site and organism."""

    distinct: list[tuple[Ground | None, int]]
    """Ground and position in `MARKS`; the first is no ground."""
    of_pair: NDArray[np.int64]
    """Position in `distinct` of each pair of site and organism, the sites outermost."""

    @classmethod
    def of(cls, table: TruthTable | None, sites: tuple[Site, ...], organisms: list[str | None]) -> "_Grounds":
        position: dict[tuple[Ground | None, int], int] = {(None, 0): 0}
        if table is None or not table.grounds:
            return cls(list(position), np.zeros(len(sites) * len(organisms), dtype=np.int64))
        of_pair = []
        for site in sites:
            # rows of a table share their grounds, and comparing objects is much quicker than hashing their fields
            known: dict[int, int] = {}
            for organism in organisms:
                ground = table.ground(organism, site)
                if id(ground) not in known:
                    known[id(ground)] = position.setdefault((ground, mark_position(ground, site)), len(position))
                of_pair.append(known[id(ground)])
        return cls(list(position), np.array(of_pair, dtype=np.int64))


def interpret_frame(
    file: Isolates,
    tables_for: TablesFor,
    *,
    basis: Language | None = None,
    existing: Existing = Existing.REFUSE,
    layout: HeaderLayout = HeaderLayout.LONG_NAMES,
    source: Callable[[TestColumn], str] | None = None,
    stamp: str | None = None,
    progress: Callable[[ColumnTally], None] | None = None,
) -> pl.DataFrame:
    """Add its ``Eti_`` column to every test column of a file.

    Every input column stays unchanged and in order; `placement` says where the new ones go. An empty MIC
    gives an empty category; anything else gives one, NI when there is no answer. A category that was given without
    knowing the site, and would not hold at every site, is marked in a column of its own.

    Args:
        file: rows and the roles of their columns.
        tables_for: the table that answers a test column; None refuses its values as `Reason.NO_MODEL`.
        basis: language of ``Eti_X_basis`` (what the answer rests on); written with ``Eti_X_reason`` (why it is NI).
        existing: what to do with a category column already there.
        layout: whether the format written holds long column names.
        source: what is told after each ground of a test column: the model that answered.
        stamp: by what the answers were made; the content of the last column, `STAMP_COLUMN`.
        progress: called after each test column with its counts.

    Returns:
        A new frame; category columns are of type `CATEGORIES`, reasons of `REASONS`, marks of `MARK_TYPE`, all else
        String.

    Raises:
        UsageError: a category column is already there and `existing` does not say what to do with it.
    """
    frame = file.frame
    placements, stamp_column = place_categories(
        frame.columns,
        file.test_columns,
        file.category_columns,
        existing=existing,
        basis=basis is not None,
        layout=layout,
        stamped=stamp is not None,
    )
    organisms = factorise_column(frame[file.organism_column])
    codes = resolve_texts(file.read_texts(file.organism_column, organisms.texts))
    sites = file.row_sites()
    pair = sites.rows * len(codes) + organisms.rows
    additions: dict[str, list[pl.Series]] = {}
    for placement in placements:
        table = tables_for(placement.column)
        mics = factorise_column(frame[placement.header])
        mic_codes = encode_texts(file.read_texts(placement.header, mics.texts), placement.column.drug)
        cross = cross_answers(placement.column, table, codes, mic_codes, sites.sites)
        answers = cross.ravel()[pair * len(mics.texts) + mics.rows]
        grounds = _Grounds.of(table, sites.sites, codes)
        rows = grounds.of_pair[pair]
        columns = [CATEGORY_OF_ANSWER.gather(pl.Series(answers)).alias(placement.category)]
        marks = _marks(grounds, rows, answers)
        if marks is not None:
            columns.append(marks.alias(placement.mark))
        if basis is not None:
            origin = source(placement.column) if source is not None and table is not None else ""
            columns.append(_basis(grounds, rows, answers, basis, origin).alias(placement.basis))
            columns.append(_REASON_OF_ANSWER.gather(pl.Series(answers)).alias(placement.reason))
        additions.setdefault(placement.after, []).extend(columns)
        if progress is not None:
            progress(_tally(placement.header, answers, grounds, rows, marks))
    answered = _assemble(frame, placements, additions)
    if stamp is None:
        return answered
    before = answered.drop(stamp_column) if stamp_column in answered.columns else answered
    return before.with_columns(pl.lit(stamp, dtype=pl.String).alias(stamp_column))


def factorise_column(column: pl.Series) -> Factor:
    """Reduce a column to its distinct texts."""
    texts = column if column.dtype == pl.String else column.cast(pl.String)
    # numbering texts while they are read takes half the time of collecting the distinct ones first
    numbered = texts.cast(pl.Categorical(pl.Categories.random()))
    distinct = numbered.unique().drop_nulls()
    numbers = distinct.to_physical().to_numpy().astype(np.int64)
    position = np.full(int(numbers.max(initial=-1)) + 2, len(distinct), dtype=np.int64)
    position[numbers] = np.arange(len(distinct))
    rows = position[numbered.to_physical().fill_null(len(position) - 1).to_numpy()]
    return Factor([*distinct.cast(pl.String).to_list(), None], rows)


def _marks(grounds: _Grounds, rows: NDArray[np.int64], answers: NDArray[np.uint8]) -> pl.Series | None:
    """Return the mark of each row's category; None when no row has one."""
    marks = np.array([mark for _, mark in grounds.distinct], dtype=np.uint8)
    if not marks.any():
        return None
    marked = np.where(_IS_CATEGORY[answers], marks[rows], 0)
    return _MARK_OF_POSITION.gather(pl.Series(marked)) if marked.any() else None


def _basis(
    grounds: _Grounds, rows: NDArray[np.int64], answers: NDArray[np.uint8], language: Language, origin: str
) -> pl.Series:
    """Return what each row's answer rests on: its ground, else the sentence of its reason; null where not asked."""
    after = f" · {origin}" if origin else ""
    sentences: list[str | None] = [
        None if ground is None else ground_sentence(ground, MARKS[mark], language) + after
        for ground, mark in grounds.distinct
    ]
    reasons = [reason_sentence(position, language) for position in range(len(ANSWERS))]
    texts = pl.Series([*sentences, *reasons], dtype=pl.String)
    told = texts.gather(pl.Series(np.where(rows == 0, len(sentences) + answers.astype(np.int64), rows)))
    return told.zip_with(pl.Series(answers != NOT_ASKED), pl.Series([None], dtype=pl.String))


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
        {mark: int((marks == mark.value).sum()) for mark in Mark} if marks is not None else {},
    )


def _assemble(
    frame: pl.DataFrame, placements: list[Placement], additions: Mapping[str, list[pl.Series]]
) -> pl.DataFrame:
    # a mark already there can only be one of the answers that give way
    replaced = {name for placement in placements if placement.replaces for name in (placement.category, placement.mark)}
    added = {series.name for group in additions.values() for series in group}
    columns: list[pl.Series] = []
    for column in frame.iter_columns():
        if column.name not in replaced and column.name not in added:
            columns.append(column)
        columns.extend(additions.get(column.name, ()))
    return pl.DataFrame(columns)
