"""Answering a whole file, column by column, on Polars.

Each column's texts and organisms are reduced to their distinct values, the truth table answers the small
cross product, and one array take spreads the answers over the rows. Cost beyond the take follows the
variety of a column, which does not grow with the file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..domain.category import Category, Reason
from ..domain.test_column import TestColumn
from ..domain.truth_table import ANSWERS, TruthTable
from .lookup import cross_answers, encode_texts, resolve_texts
from .placement import Existing, Placement, place_categories

if TYPE_CHECKING:
    from sirena.whonet.file import WhonetFile

TablesFor = Callable[[TestColumn], TruthTable | None]
"""Gives the table that answers a test column, or None when nothing does."""

CATEGORIES: Final = pl.Enum([category.value for category in Category])
"""Type of the category columns; cast to String by writers that know no enumeration."""
REASONS: Final = pl.Enum([reason.value for reason in Reason])
"""Type of the ``_reason`` columns."""

NO_BASIS: Final = "none"
"""Stands in the ``_basis`` column where no line of a table decided; the reason column says why."""

_CATEGORY_OF_ANSWER: Final = pl.Series([answer and answer.category.value for answer in ANSWERS], dtype=CATEGORIES)
_REASON_OF_ANSWER: Final = pl.Series(
    [answer.reason.value if answer and answer.reason else None for answer in ANSWERS], dtype=REASONS
)


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
    readings_of: Callable[[str, Sequence[str]], Mapping[str, str]] | None = None
    """Gives the distinct texts of a column that stand for others (a sum of two agents, a laboratory's own code)."""

    def read_texts(self, header: str, texts: Sequence[str | None]) -> list[str | None]:
        """Return what the distinct texts of a column are to be read as."""
        if self.readings_of is None:
            return list(texts)
        others = self.readings_of(header, [text for text in texts if text is not None])
        return [text if text is None else others.get(text, text) for text in texts]

    @classmethod
    def of_file(cls, file: "WhonetFile", *, zones: bool = False) -> "Isolates":
        """Take a WHONET file's test columns.

        Args:
            file: as read.
            zones: take zone columns too, so that each of their values is refused by name; else they stay as they are.

        Raises:
            SirenaError: no column names the organism.
        """
        columns = file.test_columns if zones else file.mic_columns
        return cls(file.frame, file.require_organism(), columns, file.category_columns, file.readings_of)


@dataclass(frozen=True)
class SiteTables:
    """Tables that differ by the site of infection, chosen by each row's specimen."""

    specimen_column: str
    """Header of the specimen type, ``SPEC_TYPE``."""
    site_of: Callable[[str | None], str]
    """Site of a specimen type."""
    tables_for: Callable[[str, TestColumn], TruthTable | None]
    """Table of a site and test column."""


@dataclass(frozen=True)
class ColumnTally:
    """How often each answer was given in one column."""

    column: str
    """Header of the test column, as found."""
    counts: NDArray[np.int64]
    """Shape (len(ANSWERS),): rows by position in `ANSWERS`."""


@dataclass(frozen=True)
class _Factor:
    """A text column as distinct texts and each row's position among them."""

    texts: list[str | None]
    rows: NDArray[np.int64]


def interpret_frame(
    file: Isolates,
    tables_for: TablesFor,
    *,
    basis: bool = False,
    existing: Existing = Existing.REFUSE,
    site_tables: SiteTables | None = None,
    progress: Callable[[ColumnTally], None] | None = None,
) -> pl.DataFrame:
    """Add its ``Eti_`` column to every test column of a file.

    Every input column stays unchanged and in order; `placement` says where the new ones go. An empty MIC
    gives an empty category; anything else gives one, NI when there is no answer.

    Args:
        file: rows and the roles of their columns.
        tables_for: the table that answers a test column; None refuses its values as `Reason.NO_MODEL`.
        basis: write ``Eti_X_basis`` (what the answer rests on) and ``Eti_X_reason`` (why it is NI) too.
        existing: what to do with a category column already there.
        site_tables: takes the place of `tables_for` where the specimen chooses the site.
        progress: called after each test column with its counts.

    Returns:
        A new frame; category columns are of type `CATEGORIES`, reasons of `REASONS`, bases String.

    Raises:
        UsageError: a category column is already there and `existing` does not say what to do with it.
    """
    frame = file.frame
    placements = place_categories(
        frame.columns, file.test_columns, file.category_columns, existing=existing, basis=basis
    )
    organisms = _factorise(frame[file.organism_column])
    codes = resolve_texts(file.read_texts(file.organism_column, organisms.texts))
    sites = _sites(frame, site_tables)
    additions: dict[str, list[pl.Series]] = {}
    for placement in placements:
        tables = _tables(placement.column, tables_for, site_tables, sites)
        mics = _factorise(frame[placement.header])
        mic_codes = encode_texts(file.read_texts(placement.header, mics.texts), placement.column.drug)
        cross = np.stack([cross_answers(placement.column, table, codes, mic_codes) for table in tables])
        pair = (sites.rows * len(codes) + organisms.rows) if len(tables) > 1 else organisms.rows
        answers = cross.ravel()[pair * len(mics.texts) + mics.rows]
        columns = [_CATEGORY_OF_ANSWER.gather(pl.Series(answers)).alias(placement.category)]
        if basis:
            columns.append(_basis(tables, codes, pair, answers).alias(placement.basis))
            columns.append(_REASON_OF_ANSWER.gather(pl.Series(answers)).alias(placement.reason))
        additions.setdefault(placement.after, []).extend(columns)
        if progress is not None:
            counts = np.bincount(answers, minlength=len(ANSWERS)).astype(np.int64)
            progress(ColumnTally(placement.header, counts))
    return _assemble(frame, placements, additions)


def _factorise(column: pl.Series) -> _Factor:
    texts = column if column.dtype == pl.String else column.cast(pl.String)
    distinct = texts.unique().drop_nulls()
    rows = texts.cast(pl.Enum(distinct)).to_physical().cast(pl.Int64).fill_null(len(distinct)).to_numpy()
    return _Factor([*distinct.to_list(), None], rows)


def _sites(frame: pl.DataFrame, site_tables: SiteTables | None) -> _Factor:
    """Return the distinct sites of the rows; one nameless site when the specimen does not choose."""
    if site_tables is None:
        return _Factor([None], np.zeros(0, dtype=np.int64))
    specimens = _factorise(frame[site_tables.specimen_column])
    site_of_specimen = [site_tables.site_of(text) for text in specimens.texts]
    names: list[str | None] = list(dict.fromkeys(site_of_specimen))
    position = np.array([names.index(site) for site in site_of_specimen], dtype=np.int64)
    return _Factor(names, position[specimens.rows])


def _tables(
    column: TestColumn, tables_for: TablesFor, site_tables: SiteTables | None, sites: _Factor
) -> list[TruthTable | None]:
    if site_tables is None:
        return [tables_for(column)]
    return [site_tables.tables_for(site, column) for site in sites.texts if site is not None]


def _basis(
    tables: list[TruthTable | None],
    organisms: list[str | None],
    pair: NDArray[np.int64],
    answers: NDArray[np.uint8],
) -> pl.Series:
    """Return the basis of each row's answer: the organism's line in its table, `NO_BASIS`, null where not asked."""
    lines = [_basis_line(table, organism) for table in tables for organism in organisms]
    texts = pl.Series(lines, dtype=pl.String).gather(pl.Series(pair))
    return texts.zip_with(pl.Series(answers != 0), pl.Series([None], dtype=pl.String))


def _basis_line(table: TruthTable | None, organism: str | None) -> str:
    row = table.row_of.get(organism) if table is not None and organism else None
    if table is None or row is None or not table.basis:
        return NO_BASIS
    return table.basis[row]


def _assemble(
    frame: pl.DataFrame, placements: list[Placement], additions: Mapping[str, list[pl.Series]]
) -> pl.DataFrame:
    replaced = {placement.category for placement in placements if placement.replaces}
    added = {series.name for group in additions.values() for series in group}
    columns: list[pl.Series] = []
    for column in frame.iter_columns():
        if column.name not in replaced and column.name not in added:
            columns.append(column)
        columns.extend(additions.get(column.name, ()))
    return pl.DataFrame(columns)
