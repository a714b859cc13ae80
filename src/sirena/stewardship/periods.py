"""The period of an antibiogram: each calendar year of a file, or one range of days.

>>> Period.read("2024-Q3").last
datetime.date(2024, 9, 30)
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Self

import polars as pl

from sirena.domain.errors import UsageError

_YEAR: Final = re.compile(r"(\d{4})")
_QUARTER: Final = re.compile(r"(\d{4})-?[QqTt]([1-4])")
_HINT: Final = "write 2024, 2024-Q3, or two dates, 2024-01-01..2024-06-30"


@dataclass(frozen=True)
class Period:
    """A range of days in which one first isolate of each patient and species counts."""

    first: date
    last: date

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the period that a text names: a year, a quarter, or two dates.

        Raises:
            UsageError: the text is none of these.
        """
        plain = text.strip()
        if match := _YEAR.fullmatch(plain):
            year = int(match[1])
            return cls(date(year, 1, 1), date(year, 12, 31))
        if match := _QUARTER.fullmatch(plain):
            year, quarter = int(match[1]), int(match[2])
            after = date(year + quarter // 4, 3 * quarter % 12 + 1, 1)
            return cls(date(year, 3 * quarter - 2, 1), after - timedelta(days=1))
        first, dots, last = plain.partition("..")
        try:
            period = cls(date.fromisoformat(first.strip()), date.fromisoformat(last.strip()))
        except ValueError:
            raise UsageError("--period is no period", hint=_HINT) from None
        if not dots or period.last < period.first:
            raise UsageError("--period ends before it begins", hint=_HINT)
        return period

    def __str__(self) -> str:
        """Return the period as text: ``2024`` for a whole year, else both days."""
        if (self.first, self.last) == (date(self.first.year, 1, 1), date(self.first.year, 12, 31)):
            return str(self.first.year)
        return f"{self.first} – {self.last}"

    def holds(self) -> pl.Expr:
        """Return an expression for the rows within the period."""
        return pl.col("date").is_between(self.first, self.last)


def quarter_of(day: date) -> str:
    """Return the calendar quarter of a day, in the form that `Period.read` reads.

    >>> quarter_of(date(2025, 3, 31))
    '2025-Q1'
    """
    return f"{day.year}-Q{(day.month + 2) // 3}"


def calendar_years() -> pl.Expr:
    """Return an expression for the calendar year of each row, by which a file of several years is counted."""
    return pl.col("date").dt.year().cast(pl.String)
