"""Reading the dates of a column.

Rules, each with a test of like name:

- ISO dates, with time or without, ``20240105``, and three numbers joined by ``/``, ``-`` or ``.`` are read;
- of three numbers the day is first, unless some date of the column can only be read with the month first;
- a date up to 1970-01-01 (Excel's and Unix's zero, "1900") or after today is not accepted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

EARLIEST: Final = date(1970, 1, 1)
"""A date up to this day is a program's zero, not a specimen's date."""
EARLIEST_BIRTH: Final = date(1900, 1, 1)
"""A date up to this day is nobody's date of birth."""
_ISO: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_THREE: Final = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})(?!\d)")
_TWELVE: Final = 12
_PIVOT: Final = 70


@dataclass(frozen=True)
class ReadDates:
    """The dates of a column, and what is doubtful about them."""

    dates: pl.Series
    """Date of each row; null if there is none."""
    implausible: pl.Series
    """True for rows whose text is no date, or an impossible one."""
    is_undecided: bool
    """True if the column does not show whether day or month is first, so the day was taken."""
    has_dates: bool
    """True if some text of the column is a possible date."""


def read_dates(
    texts: pl.Series, today: date, *, earliest: date = EARLIEST, whole_texts: Sequence[str] | None = None
) -> ReadDates:
    """Read the dates of a column; each distinct text is read once.

    Args:
        texts: String, null for an empty cell.
        today: dates after this day are not accepted.
        earliest: dates up to this day are not accepted.
        whole_texts: distinct texts of the whole column, if `texts` are a part of it.
    """
    distinct = texts.unique().drop_nulls() if whole_texts is None else pl.Series(whole_texts, dtype=pl.String)
    stripped_texts = [text.strip() for text in distinct.to_list()]
    triples = [match for text in stripped_texts if not _ISO.match(text) and (match := _THREE.match(text))]
    day_first = any(int(match[1]) > _TWELVE for match in triples)
    month_first = not day_first and any(int(match[2]) > _TWELVE for match in triples)
    read_days = [_read(text, month_first) for text in stripped_texts]
    possible = [day if day is not None and earliest < day <= today else None for day in read_days]
    dates = texts.replace_strict(distinct, pl.Series(possible, dtype=pl.Date), default=None, return_dtype=pl.Date)
    has_text = texts.str.strip_chars().str.len_chars().fill_null(0) > 0
    return ReadDates(
        dates,
        has_text & dates.is_null(),
        bool(triples) and not day_first and not month_first,
        any(day is not None for day in possible),
    )


def _read(text: str, month_first: bool) -> date | None:
    match = _ISO.match(text) or _COMPACT.fullmatch(text)
    if match is not None:
        return _date(int(match[1]), int(match[2]), int(match[3]))
    match = _THREE.match(text)
    if match is None:
        return None
    first, second, year = int(match[1]), int(match[2]), int(match[3])
    if len(match[3]) == 2:
        year += 2000 if year < _PIVOT else 1900
    return _date(year, first, second) if month_first else _date(year, second, first)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
