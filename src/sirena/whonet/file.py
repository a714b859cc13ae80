"""A WHONET file as read: the table, its roles, and what is wrong in it."""

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
    """A file's format, told from its content and never from its name."""

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
    """What a format's reader returns, before the columns are given their roles."""

    frame: pl.DataFrame
    """Every column String, names and order as found, null for empty cells."""
    encoding: str | None = None
    """Character encoding of text formats."""
    first_row: int = 1
    """Number of the first isolate as the user sees it: 2 below a header row, 1 for the records of a database."""
    skipped_rows: tuple[int, ...] = ()
    """Numbers of rows the frame leaves out (blank lines, deleted records), ascending."""
    problems: tuple[Problem, ...] = ()
    """Problems of structure."""
    detail: str = ""
    """What else a person may want to know of the format: the delimiter, the sheet, the dBASE version."""
    csv_style: CsvStyle | None = None
    """How a delimited text was written; None for other formats."""
    numbers: tuple[int, ...] = ()
    """Number of each row as the user sees it, where rows were joined and do not simply follow one another."""


@dataclass(frozen=True)
class WhonetFile:
    """A WHONET table and the roles of its columns."""

    path: Path | str
    """Where it came from; ``-`` is standard input."""
    format: FileFormat
    table: RawTable
    organism_column: str | None
    """Header that names the organism: the code column, else a name column; None when there is none."""
    fields: dict[str, str]
    """Header → WHONET's field it holds, by short name; the mapping's word first, then WHONET's short names."""
    specimen_column: str | None
    """Header of the specimen type."""
    date_column: str | None
    """Header of the specimen date."""
    test_columns: dict[str, TestColumn]
    """Header as found → parsed, in the file's order; MIC and disk columns."""
    category_columns: dict[str, str]
    """Test header → header of its ``Eti_`` column, where present."""
    label_columns: dict[str, str] = field(default_factory=dict)
    """Test header → header of another system's category column; kept as it is, compared, never answered into."""
    header_readings: tuple[HeaderReading, ...] = ()
    """How headers that are not WHONET's were understood."""
    patient_headers: tuple[str, ...] = ()
    """Columns whose values are patients' numbers, as WHONET's own fields are by name."""
    mapping: LaboratoryMapping = field(default_factory=LaboratoryMapping)
    """What the laboratory says of its columns."""

    @property
    def frame(self) -> pl.DataFrame:
        """Every column String, names and order as found, null for empty cells."""
        return self.table.frame

    def headers_of(self, short: str) -> list[str]:
        """Return the headers of the table that hold a WHONET field, the mapping's word before the header's own."""
        return [header for header, field in self.fields.items() if field == short and header in self.frame.columns]

    def header_of(self, short: str) -> str | None:
        """Return the first header of a WHONET field in which anything stands; None when there is none."""
        headers = self.headers_of(short)
        return next((header for header in headers if self.frame[header].null_count() < self.frame.height), None)

    @property
    def encoding(self) -> str | None:
        """Character encoding of text formats; None where the format fixes it."""
        return self.table.encoding

    @property
    def mic_columns(self) -> dict[str, TestColumn]:
        """The test columns that hold MICs."""
        return {header: column for header, column in self.test_columns.items() if column.is_mic}

    @property
    def holds_mics(self) -> bool:
        """True when any cell of an MIC column can be read; False for files of zones, categories or signs only."""
        for header, column in self.mic_columns.items():
            texts = self.frame[header].drop_nulls().unique().to_list()
            others = self.readings_of(header, texts)
            if (encode_mics([others.get(text, text) for text in texts], column.drug) >= 0).any():
                return True
        return False

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """Problems of structure, then the cells of MIC columns that are not readable MICs, by column and class."""
        return self.find_problems(FIRST_ROWS)

    def find_problems(self, examples: int) -> tuple[Problem, ...]:
        """Return what `problems` holds, with up to `examples` row numbers for each column and class."""
        found = list(self.table.problems)
        for header in self.mic_columns:
            cells = self.frame[header]
            readings = self.readings_of(header, cells.drop_nulls().unique().to_list())
            for problem_class, positions in classify_cells(cells, self.test_columns[header].drug, readings).items():
                rows = tuple(self.row_numbers(positions[:examples]).tolist())
                found.append(Problem(problem_class, header, len(positions), rows))
        return (*found, *self._ambiguous_organisms(examples))

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
        """Return the distinct texts of a column that stand for others.

        Args:
            header: of an MIC column (see `scales.read_scale`), or the organism's (the mapping's organisms).
            texts: all distinct texts of the column; what one means may depend on the others.
        """
        if header in self.test_columns:
            return read_scale(self.test_columns[header].drug, texts, self.mapping.column(header).scale)
        return {text: read for text in texts if (read := self._organism_meant(text)) is not None}

    def is_ambiguous(self, text: str) -> bool:
        """Tell an abbreviation of an organism that is read differently, and which the mapping does not settle."""
        return text.strip() in AMBIGUOUS and self._organism_meant(text) == NOT_READ

    def _organism_meant(self, text: str) -> str | None:
        """Return what the mapping says of an organism, `NOT_READ` for an ambiguous abbreviation it does not settle.

        WHONET writes its codes in small letters, so those are codes.
        """
        stripped = text.strip()
        code = self.mapping.organisms.get(stripped.casefold())
        if code is not None:
            return code
        return NOT_READ if stripped in AMBIGUOUS else None

    def row_numbers(self, positions: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return rows as the user sees them for positions in `frame` (0-based).

        Text and spreadsheets count the header row, so their first isolate is row 2; databases count records.
        """
        kept = np.asarray(positions, dtype=np.int64)
        if self.table.numbers:
            return np.asarray(self.table.numbers, dtype=np.int64)[kept]
        skipped = np.asarray(self.table.skipped_rows, dtype=np.int64)
        kept_before = skipped - self.table.first_row - np.arange(len(skipped))
        return kept + self.table.first_row + np.searchsorted(kept_before, kept, side="right")

    def require_organism(self) -> str:
        """Return the organism column's header.

        Raises:
            NoOrganismColumnError: there is none.
        """
        if self.organism_column is None:
            raise NoOrganismColumnError(
                f"{self.path}: no column names the organism",
                hint="Name the column ORGANISM (WHONET codes such as eco, or species names), or LOCAL_ORG.",
            )
        return self.organism_column
