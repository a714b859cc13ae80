"""Problems inside a file that could still be read; each is named by its place and never by the cell's content."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FIRST_ROWS: Final = 5
"""Number of row numbers that a problem keeps as examples."""


class ProblemClass(enum.StrEnum):
    """The kind of a problem. The value is the stable code in reports."""

    CATEGORY = "category"
    ZONE = "zone_diameter"
    ZONE_LIKE = "zone_like_number"
    DATE = "date"
    COMPARATOR = "lone_comparator"
    SEVERAL = "several_numbers"
    ZERO = "zero"
    NEGATIVE = "negative"
    NOT_FINITE = "not_finite"
    OFF_SCALE = "off_scale"
    SIGN = "positive_or_negative"
    SPREADSHEET_ERROR = "spreadsheet_error"
    THOUSANDS = "thousands_sign"
    SUM_REFUSED = "sum_of_agents"
    SUM_READ = "sum_of_agents_read"
    NO_RESULT = "no_result"
    TEXT = "text"
    BLANK_ROW = "blank_row"
    DELETED_RECORD = "deleted_record"
    UNNAMED_COLUMN = "unnamed_column"
    ABBREVIATION = "ambiguous_abbreviation"
    TITLE_ROW = "title_row"
    REPEATED_HEADER = "repeated_header"
    UNITS_ROW = "units_row"
    CODE_PAGE = "code_page"
    WRITE_AHEAD_LOG = "write_ahead_log_missing"
    OTHER_SHEET = "other_sheet"
    SEVERAL_RESULTS = "several_results"
    MEMO = "memo"
    TRAILING_BYTES = "trailing_bytes"

    @property
    def sentence(self) -> str:
        """The problem as one English phrase."""
        return _SENTENCE[self]

    @property
    def is_readable(self) -> bool:
        """True for cells that are read as MICs although they look wrong."""
        return self in (ProblemClass.ZONE_LIKE, ProblemClass.SUM_READ)


_SENTENCE: Final = {
    ProblemClass.CATEGORY: "a category (S, I, R …) where an MIC belongs",
    ProblemClass.ZONE: "a zone diameter in millimetres, not an MIC",
    ProblemClass.ZONE_LIKE: "a whole number that is no dilution, perhaps a zone diameter (read as the dilution above)",
    ProblemClass.DATE: "a date; spreadsheets turn values such as 1-2 into dates",
    ProblemClass.COMPARATOR: "a comparator without a number",
    ProblemClass.SEVERAL: "several numbers that are no combination's, or a range; write one MIC",
    ProblemClass.ZERO: "zero, which is no concentration",
    ProblemClass.NEGATIVE: "a negative number",
    ProblemClass.NOT_FINITE: "not a finite number (NaN, infinity)",
    ProblemClass.OFF_SCALE: "a number far outside every dilution scale (0.0001 to 8192 mg/L)",
    ProblemClass.SIGN: "a sign (+, -, pos, neg) where an MIC belongs",
    ProblemClass.SPREADSHEET_ERROR: "a spreadsheet error such as a division by zero",
    ProblemClass.THOUSANDS: "1,024 and the like: a thousands sign or a decimal one; write 1024",
    ProblemClass.SUM_REFUSED: (
        "trimethoprim/sulfamethoxazole as the sum of both agents beside figures of the first; "
        'write 2 for 2/38, or say scale = "sum" in a mapping'
    ),
    ProblemClass.SUM_READ: "sums of both agents (1/19), read as the first agent's figure: 40 is 2/38",
    ProblemClass.NO_RESULT: "a mark of the instrument that it gave no result (TRM, N/R, (-))",
    ProblemClass.TEXT: "text that is not an MIC",
    ProblemClass.BLANK_ROW: "row without any value",
    ProblemClass.DELETED_RECORD: "record marked as deleted, left out",
    ProblemClass.UNNAMED_COLUMN: "column without a name",
    ProblemClass.ABBREVIATION: (
        "an abbreviation that Spanish laboratories and WHONET read differently (EPI, ECN, PSA …), so not read; "
        "[organisms] in a mapping says which is meant"
    ),
    ProblemClass.TITLE_ROW: "rows above the header, left out",
    ProblemClass.REPEATED_HEADER: "the header once more, left out",
    ProblemClass.UNITS_ROW: "row of units below the header, left out",
    ProblemClass.CODE_PAGE: "letters whose code page is not sure; accents may be wrong, MICs are not",
    ProblemClass.WRITE_AHEAD_LOG: (
        "the database was written with a write-ahead log (-wal) that is not beside it: if it was copied while open, "
        "the newest isolates are missing; close the program and copy again, or copy the -wal file too"
    ),
    ProblemClass.OTHER_SHEET: "another sheet that holds a table and was not read; --sheet chooses",
    ProblemClass.SEVERAL_RESULTS: "different results of one antimicrobial for one isolate, so none is read",
    ProblemClass.MEMO: "memo field; its text lies in another file and is left out",
    ProblemClass.TRAILING_BYTES: "bytes after the last record the header promises, left out",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem in one column; in the file as a whole if `column` is None."""

    problem_class: ProblemClass
    column: str | None
    """Header of the column, as in the file."""
    count: int
    """Number of cells or rows."""
    rows: tuple[int, ...] = ()
    """The first few row numbers, as the user counts rows (see `WhonetFile.row_numbers`)."""

    def __str__(self) -> str:
        """Return the problem as one line for a person, with its place."""
        place_text = f"column {self.column}: " if self.column else ""
        return f"{place_text}{self.count} × {self.problem_class.sentence}{spell_rows(self.rows, self.count)}"


def spell_rows(rows: Sequence[int], count: int) -> str:
    """Return a phrase with a few row numbers out of `count`: `` (rows 3, 7, 9 …)``.

    >>> spell_rows([2, 5], 2)
    ' (rows 2, 5)'
    """
    if not rows:
        return ""
    more = " …" if count > len(rows) else ""
    return f" (row{'s' if count > 1 else ''} {', '.join(map(str, rows))}{more})"
