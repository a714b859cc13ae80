"""What can be wrong inside a file that could still be read, named by place and never by content."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FIRST_ROWS: Final = 5
"""How many row numbers a problem keeps as examples."""


class ProblemClass(enum.StrEnum):
    """What kind of thing stands where something else was expected. The value is the stable code in reports."""

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
    TEXT = "text"
    BLANK_ROW = "blank_row"
    DELETED_RECORD = "deleted_record"
    UNNAMED_COLUMN = "unnamed_column"
    MEMO = "memo"
    TRAILING_BYTES = "trailing_bytes"

    @property
    def sentence(self) -> str:
        """One English phrase for a person."""
        return _SENTENCE[self]

    @property
    def is_readable(self) -> bool:
        """True for cells that are read as MICs all the same and only look wrong."""
        return self is ProblemClass.ZONE_LIKE


_SENTENCE: Final = {
    ProblemClass.CATEGORY: "a category (S, I, R …) where an MIC belongs",
    ProblemClass.ZONE: "a zone diameter in millimetres, not an MIC",
    ProblemClass.ZONE_LIKE: "a whole number that is no dilution, perhaps a zone diameter (read as the dilution above)",
    ProblemClass.DATE: "a date; spreadsheets turn values such as 1-2 into dates",
    ProblemClass.COMPARATOR: "a comparator without a number",
    ProblemClass.SEVERAL: "several numbers, a combination such as 8/4 or a range; write the first agent's alone",
    ProblemClass.ZERO: "zero, which is no concentration",
    ProblemClass.NEGATIVE: "a negative number",
    ProblemClass.NOT_FINITE: "not a finite number (NaN, infinity)",
    ProblemClass.OFF_SCALE: "a number far outside every dilution scale (0.0001 to 8192 mg/L)",
    ProblemClass.SIGN: "a sign (+, -, pos, neg) where an MIC belongs",
    ProblemClass.SPREADSHEET_ERROR: "a spreadsheet error such as a division by zero",
    ProblemClass.TEXT: "text that is not an MIC",
    ProblemClass.BLANK_ROW: "row without any value",
    ProblemClass.DELETED_RECORD: "record marked as deleted, left out",
    ProblemClass.UNNAMED_COLUMN: "column without a name",
    ProblemClass.MEMO: "memo field; its text lies in another file and is left out",
    ProblemClass.TRAILING_BYTES: "bytes after the last record the header promises, left out",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem in one column, or in the file when `column` is None."""

    problem_class: ProblemClass
    column: str | None
    """Header as found."""
    count: int
    """Number of cells or rows."""
    rows: tuple[int, ...] = ()
    """The first few, numbered as the user sees them (see `WhonetFile.row_numbers`)."""

    def __str__(self) -> str:
        """Spell it for a person, by place."""
        where = f"column {self.column}: " if self.column else ""
        return f"{where}{self.count} × {self.problem_class.sentence}{spell_rows(self.rows, self.count)}"


def spell_rows(rows: Sequence[int], count: int) -> str:
    """Return `` (rows 3, 7, 9 …)`` for a few row numbers out of `count`."""
    if not rows:
        return ""
    more = " …" if count > len(rows) else ""
    return f" (row{'s' if count > 1 else ''} {', '.join(map(str, rows))}{more})"
