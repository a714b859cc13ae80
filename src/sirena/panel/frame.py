"""Answering a whole file, column by column, with Polars.

Each column's texts and organisms are reduced to their distinct values, the truth table answers each combination of
these, and one array look-up gives every row its answer. Apart from that look-up, the cost depends on the variety of a
column's texts, which hardly grows with the file.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..domain.language import Language
from ..domain.site import Site
from ..domain.test_column import TestColumn
from .column_answers import ColumnAnswers, ColumnTally, DistinctSubjects, FurtherColumns, TablesFor, as_categories
from .lookup import resolve_texts
from .placement import Existing, HeaderLayout, Placement, place_categories
from .sites import RowSites

if TYPE_CHECKING:
    from sirena.whonet.file import WhonetFile


@dataclass(frozen=True)
class Isolates:
    """Rows of a file, and the roles of its columns."""

    frame: pl.DataFrame
    """The rows, columns in the file's order."""
    organism_column: str
    """Header of the column that holds the organism, WHONET code or name."""
    test_columns: Mapping[str, TestColumn]
    """Header as in the file → the test column to answer."""
    category_columns: Mapping[str, str]
    """Header of a test column → header of its category column, if there is one."""
    site: Site | str = Site.UNKNOWN
    """The body site of every row, or the header of the column that holds each row's specimen."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Header → short name of the WHONET field it holds (``MRSA``)."""
    readings_of: Callable[[str, Sequence[str]], Mapping[str, str]] | None = None
    """Returns those distinct texts of a column that are read as others, such as a sum of two agents or a local code."""

    def headers_of(self, short: str) -> list[str]:
        """Return the headers that hold a WHONET field."""
        return [header for header, name in self.fields.items() if name == short and header in self.frame.columns]

    def read_texts(self, header: str, texts: Sequence[str | None]) -> list[str | None]:
        """Return, for each distinct text of a column, the text that it is read as."""
        if self.readings_of is None:
            return list(texts)
        readings = self.readings_of(header, [text for text in texts if text is not None])
        return [text if text is None else readings.get(text, text) for text in texts]

    @classmethod
    def of_file(cls, file: "WhonetFile", *, zones: bool = False, site: Site | None = None) -> "Isolates":
        """Create the object from a WHONET file: its rows, and the roles of its columns.

        Args:
            file: the file.
            zones: whether zone columns are answered too, each value with the refusal `Reason.NOT_AN_MIC`; else they are
                left alone.
            site: the body site of every row; None to take it from each row's specimen (unknown in a file without
                specimens).

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
        """Return the body site of each row."""
        if isinstance(self.site, Site):
            return RowSites.of_one_site(self.site, self.frame.height)
        specimens = factorise_column(self.frame[self.site])
        return RowSites.of_specimens(specimens.texts, specimens.rows)


@dataclass(frozen=True)
class Factor:
    """A text column as its distinct texts and, for each row, the position of its text."""

    texts: list[str | None]
    """The distinct texts; the last is always None, for empty cells."""
    rows: NDArray[np.int64]


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
    """Add to every test column of a file its ``Eti_`` column.

    Every input column stays unchanged and in order; `placement` says where the new ones go. An empty MIC gives an empty
    category; any other text gives a category, or NI. A category that was given without knowing the body site, and does
    not hold at every site, is marked in a separate column.

    Args:
        file: rows and the roles of their columns.
        tables_for: returns the truth table that answers a test column; if it returns None, the column's values are
            refused with `Reason.NO_MODEL`.
        basis: language of the columns ``Eti_X_basis`` (the ground) and ``Eti_X_reason`` (why it is NI); None for
            neither.
        existing: what to do with a category column that the file already has.
        layout: whether the format written holds long column names.
        source: returns the text after each ground of a test column, such as the model that answered.
        stamp: release or edition that answered; the content of the last column, `STAMP_COLUMN`.
        progress: called after each test column with its counts.

    Returns:
        A new frame; category columns are of type `CATEGORIES`, reasons of `REASONS`, marks of `MARK_TYPE`, all else
        String.

    Raises:
        UsageError: the file already has a category column, and `existing` is `Existing.REFUSE`.

    >>> from sirena.domain.test_column import parse_test_column
    >>> from sirena.guidelines.editions import load_edition
    >>> from sirena.guidelines.interpreter import compile_tables
    >>> table = compile_tables(load_edition("CLSI 2026"), ["AMK"])["AMK"]
    >>> frame = pl.DataFrame({"ORGANISM": ["eco", "kpn"], "AMK_NM": ["<=2", "16"]})
    >>> isolates = Isolates(frame, "ORGANISM", {"AMK_NM": parse_test_column("AMK_NM")}, {})
    >>> interpret_frame(isolates, lambda column: table).to_dicts()
    [{'ORGANISM': 'eco', 'AMK_NM': '<=2', 'Eti_AMK_NM': 'S'}, {'ORGANISM': 'kpn', 'AMK_NM': '16', 'Eti_AMK_NM': 'R'}]
    """
    frame = file.frame
    placements, stamp_column = place_categories(
        frame.columns,
        file.test_columns,
        file.category_columns,
        existing=existing,
        basis=basis is not None,
        layout=layout,
        with_stamp=stamp is not None,
    )
    organisms = factorise_column(frame[file.organism_column])
    codes = resolve_texts(file.read_texts(file.organism_column, organisms.texts))
    sites = file.row_sites()
    subjects = DistinctSubjects(sites.sites, codes)
    further_columns = FurtherColumns(basis, source)
    pair = sites.rows * len(codes) + organisms.rows
    additions: dict[str, list[pl.Series]] = {}
    for placement in placements:
        mics = factorise_column(frame[placement.header])
        texts = file.read_texts(placement.header, mics.texts)
        columns, tally = ColumnAnswers.prepare(placement, subjects, texts, tables_for, further_columns).of_rows(
            pair, mics.rows
        )
        additions.setdefault(placement.after, []).extend(columns)
        if progress is not None:
            progress(tally)
    return assemble(frame, placements, additions, stamp, stamp_column)


def factorise_column(column: pl.Series) -> Factor:
    """Return a column as its texts, each once, and the position of each row's text; an enumeration keeps unused texts.

    >>> factorise_column(pl.Series(["eco", "sau", None, "eco"]))
    Factor(texts=['eco', 'sau', None], rows=array([0, 1, 2, 0]))
    """
    if isinstance(column.dtype, pl.Enum):
        return Factor([*column.dtype.categories.to_list(), None], text_positions(column).astype(np.int64))
    texts = column if column.dtype == pl.String else column.cast(pl.String)
    # numbering texts while they are read takes half the time of collecting the distinct ones first
    coded_texts = texts.cast(pl.Categorical(pl.Categories.random()))
    distinct = coded_texts.unique().drop_nulls()
    numbers = distinct.to_physical().to_numpy().astype(np.int64)
    position = np.full(int(numbers.max(initial=-1)) + 2, len(distinct), dtype=np.int64)
    position[numbers] = np.arange(len(distinct))
    rows = position[coded_texts.to_physical().fill_null(len(position) - 1).to_numpy()]
    return Factor([*distinct.cast(pl.String).to_list(), None], rows)


def text_positions(column: pl.Series) -> NDArray[np.integer]:
    """Return for each row the position of its text, as `factorise_column` does, in as few bytes as it has.

    >>> text_positions(pl.Series(["sau", None], dtype=pl.Enum(["eco", "sau"])))
    array([1, 2], dtype=uint8)
    """
    if not isinstance(column.dtype, pl.Enum):
        return factorise_column(column).rows
    # by hand, in a tenth of the time: a Polars expression for each column would wait for a thread
    texts = column.rechunk().to_arrow()
    indices = texts.indices
    validity, values = indices.buffers()
    start, end = indices.offset, indices.offset + len(indices)
    kind = np.dtype(f"u{indices.type.byte_width}")  # Arrow's own word for it imports pandas
    numbers: NDArray[np.unsignedinteger] = np.frombuffer(values, kind, end)[start:]
    if validity is None:
        return numbers
    is_filled = np.unpackbits(np.frombuffer(validity, np.uint8), count=end, bitorder="little")[start:]
    highest_where_empty: NDArray[np.unsignedinteger] = numbers | (
        is_filled.astype(numbers.dtype) - numbers.dtype.type(1)
    )
    behind_the_last: NDArray[np.unsignedinteger] = np.minimum(highest_where_empty, len(texts.dictionary))
    return behind_the_last


def assemble(
    frame: pl.DataFrame,
    placements: Sequence[Placement],
    additions: Mapping[str, list[pl.Series]],
    stamp: str | None,
    stamp_column: str,
) -> pl.DataFrame:
    """Return a table with the answers inserted after their test columns, and the stamp at its end.

    Args:
        frame: the rows of the file.
        placements: places and headers of the columns added to each test column.
        additions: the added columns, by header of the column they follow.
        stamp: content of the last column; None leaves it out.
        stamp_column: header of the last column.

    >>> from sirena.domain.test_column import parse_test_column
    >>> placement = Placement("AMK_NM", parse_test_column("AMK_NM"), "Eti_AMK_NM", "AMK_NM", replaces=False)
    >>> answers = pl.Series("Eti_AMK_NM", [0], dtype=pl.UInt8)
    >>> rows = pl.DataFrame({"AMK_NM": ["2"], "WARD": ["north"]})
    >>> assemble(rows, [placement], {"AMK_NM": [answers]}, "release 3", "SIRENA").to_dicts()
    [{'AMK_NM': '2', 'Eti_AMK_NM': 'S', 'WARD': 'north', 'SIRENA': 'release 3'}]
    """
    # a mark already there can only be one of the answers that give way
    replaced_headers = {
        name for placement in placements if placement.replaces for name in (placement.category, placement.mark)
    }
    added_headers = {series.name for group in additions.values() for series in group}
    columns: list[pl.Series] = []
    for column in frame.iter_columns():
        if column.name not in replaced_headers and column.name not in added_headers:
            columns.append(column)
        columns.extend(additions.get(column.name, ()))
    answered_frame = pl.DataFrame(columns).with_columns(as_categories(placement.category for placement in placements))
    if stamp is None:
        return answered_frame
    unstamped_frame = answered_frame.drop(stamp_column) if stamp_column in answered_frame.columns else answered_frame
    return unstamped_frame.with_columns(pl.lit(stamp, dtype=pl.String).alias(stamp_column))
