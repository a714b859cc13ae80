"""A WHONET file after reading: the table, the roles of its columns, and the problems in it."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.domain.mic import encode_mics
from sirena.domain.notation import NOT_READ
from sirena.domain.test_column import TestColumn
from sirena.domain.vernacular import AMBIGUOUS
from sirena.whonet.cells import classify_cells
from sirena.whonet.csv_style import CsvStyle
from sirena.whonet.errors import NoOrganismColumnError
from sirena.whonet.mapping import LaboratoryMapping
from sirena.whonet.problems import FIRST_ROWS, Problem, ProblemClass
from sirena.whonet.scales import read_scale
from sirena.whonet.understanding import HeaderReading


class FileFormat(enum.StrEnum):
    """A file's format, determined by its content and never by its name."""

    DBASE = "dbase"
    SQLITE = "sqlite"
    DELIMITED = "delimited"
    EXCEL = "excel"
    PARQUET = "parquet"
    ARROW = "arrow"
    SENSITITRE = "sensititre"
    BIOMERIEUX = "biomerieux"
    FHIR = "fhir"


@dataclass(frozen=True)
class RawTable:
    """A table as the reader of a format returns it, before its columns have roles."""

    frame: pl.DataFrame
    """The cells: every column is String, with names and order as in the file; empty cells are null."""
    encoding: str | None = None
    """Character encoding, for text formats."""
    first_row: int = 1
    """Number of the first isolate as the user counts rows: 2 below a header row, 1 for the records of a database."""
    skipped_rows: tuple[int, ...] = ()
    """Numbers of the rows that the frame leaves out (blank lines, deleted records), ascending."""
    problems: tuple[Problem, ...] = ()
    """Problems of the file's structure."""
    detail: str = ""
    """Further facts of the format for a person: the delimiter, the sheet, the dBASE version."""
    csv_style: CsvStyle | None = None
    """Style of a delimited text; None for other formats."""
    numbers: tuple[int, ...] = ()
    """Number of each row as the user counts; empty if the rows follow one another."""


@dataclass(frozen=True)
class WhonetFile:
    """A WHONET table and the roles of its columns."""

    path: Path | str
    """Path of the file; ``-`` is standard input."""
    format: FileFormat
    table: RawTable
    organism_column: str | None
    """Header of the column that names the organism, codes before names; None if there is none."""
    fields: dict[str, str]
    """Header → short name of the WHONET field it holds; first those of the mapping, then WHONET's short names."""
    specimen_column: str | None
    """Header of the column of specimen types."""
    date_column: str | None
    """Header of the column of specimen dates."""
    test_columns: dict[str, TestColumn]
    """Header as in the file → its test column, in the file's order; both MICs and disks."""
    category_columns: dict[str, str]
    """Header of a test → header of its ``Eti_`` column, if the file has one."""
    label_columns: dict[str, str] = field(default_factory=dict)
    """Header of a test → header of another system's category column, which is compared and never overwritten."""
    header_readings: tuple[HeaderReading, ...] = ()
    """How each header that is not WHONET's was understood."""
    patient_headers: tuple[str, ...] = ()
    """Headers of columns whose values are patients' numbers, in addition to WHONET's own fields for them."""
    mapping: LaboratoryMapping = field(default_factory=LaboratoryMapping)
    """What the laboratory's mapping says about its columns."""

    @property
    def frame(self) -> pl.DataFrame:
        """The cells: every column is String, with names and order as in the file; empty cells are null."""
        return self.table.frame

    def headers_of(self, short: str) -> list[str]:
        """Return the headers that hold a WHONET field; those that the mapping assigns come first."""
        return [header for header, field in self.fields.items() if field == short and header in self.frame.columns]

    def header_of(self, short: str) -> str | None:
        """Return the header of the first non-empty column of the WHONET field `short`; None if there is none."""
        headers = self.headers_of(short)
        return next((header for header in headers if self.frame[header].null_count() < self.frame.height), None)

    @property
    def encoding(self) -> str | None:
        """Character encoding of text formats; None if the format has a fixed one."""
        return self.table.encoding

    @property
    def mic_columns(self) -> dict[str, TestColumn]:
        """The test columns that hold MICs, by header."""
        return {header: column for header, column in self.test_columns.items() if column.is_mic}

    @property
    def holds_mics(self) -> bool:
        """True if any cell of an MIC column can be read; False for files of zones, categories or signs only."""
        for header, column in self.mic_columns.items():
            texts = self.frame[header].drop_nulls().unique().to_list()
            other_readings = self.readings_of(header, texts)
            if (encode_mics([other_readings.get(text, text) for text in texts], column.drug) >= 0).any():
                return True
        return False

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Problems of the file's structure, then those of MIC cells and of organisms, by column and problem class."""
        return self.find_problems(FIRST_ROWS)

    def find_problems(self, examples: int) -> tuple[Problem, ...]:
        """Return the same as `problems`, with up to `examples` row numbers for each column and class."""
        problems = list(self.table.problems)
        for header in self.mic_columns:
            cells = self.frame[header]
            readings = self.readings_of(header, cells.drop_nulls().unique().to_list())
            for problem_class, positions in classify_cells(cells, self.test_columns[header].drug, readings).items():
                rows = tuple(self.row_numbers(positions[:examples]).tolist())
                problems.append(Problem(problem_class, header, len(positions), rows))
        return (*problems, *self._ambiguous_organisms(examples))

    def _ambiguous_organisms(self, examples: int) -> list[Problem]:
        if self.organism_column is None:
            return []
        cells = self.frame[self.organism_column]
        unclear = [text for text in AMBIGUOUS if self._organism_meant(text) == NOT_READ]
        positions = cells.str.strip_chars().is_in(unclear).fill_null(value=False).arg_true().to_numpy()
        if not len(positions):
            return []
        rows = tuple(self.row_numbers(positions[:examples]).tolist())
        return [Problem(ProblemClass.ABBREVIATION, self.organism_column, len(positions), rows)]

    def readings_of(self, header: str, texts: Sequence[str]) -> Mapping[str, str]:
        """Return a column's distinct texts that are read as other texts, each with the text it is read as.

        Args:
            header: header of an MIC column (see `scales.read_scale`) or of the organism column (the mapping's
                organisms).
            texts: all distinct texts of the column; the meaning of one may depend on the others.
        """
        if header in self.test_columns:
            return read_scale(self.test_columns[header].drug, texts, self.mapping.column(header).scale)
        return {text: reading for text in texts if (reading := self._organism_meant(text)) is not None}

    def is_ambiguous(self, text: str) -> bool:
        """Tell whether a text is an abbreviation that laboratories read differently and no mapping explains."""
        return text.strip() in AMBIGUOUS and self._organism_meant(text) == NOT_READ

    def _organism_meant(self, text: str) -> str | None:
        """Return the organism code that the mapping gives a text; `NOT_READ` for an ambiguous abbreviation without one.

        None for any other text. WHONET writes its codes in small letters, so small letters are not ambiguous.
        """
        name = text.strip()
        code = self.mapping.organisms.get(name.casefold())
        if code is not None:
            return code
        return NOT_READ if name in AMBIGUOUS else None

    def row_numbers(self, positions: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return row numbers as the user counts them, given positions in `frame` (0-based).

        Text and spreadsheets count the header row, so their first isolate is row 2; databases count records.
        """
        indices = np.asarray(positions, dtype=np.int64)
        if self.table.numbers:
            return np.asarray(self.table.numbers, dtype=np.int64)[indices]
        skipped_numbers = np.asarray(self.table.skipped_rows, dtype=np.int64)
        kept_before = skipped_numbers - self.table.first_row - np.arange(len(skipped_numbers))
        return indices + self.table.first_row + np.searchsorted(kept_before, indices, side="right")

    def require_organism(self) -> str:
        """Return the header of the organism column.

        Raises:
            NoOrganismColumnError: the file has no such column.
        """
        if self.organism_column is None:
            raise NoOrganismColumnError(
                f"{self.path}: no column names the organism",
                hint="Name the column ORGANISM (WHONET codes such as eco, or species names), or LOCAL_ORG.",
            )
        return self.organism_column
