"""What a person requests of the antibiogram page, read from the page's address.

Rules, each with a test of like name:

- a value that the form does not offer is ignored, so that no address makes the page fail;
- values that mark a screening culture are given in the address as numbers, since a cell may hold anything.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final
from urllib.parse import urlencode

from sirena.stewardship.antibiogram import Request
from sirena.stewardship.exclusions import SCREENING_FIELDS
from sirena.stewardship.first_isolates import FirstIsolates, Mode
from sirena.stewardship.isolates import CountableIsolates
from sirena.stewardship.periods import Period
from sirena.stewardship.strata import Stratum

MOST_VALUES: Final = 40
"""Most values of a field that are offered, the most common first."""
_EPISODE: Final = FirstIsolates().days
_LONGEST_EPISODE: Final = 3660


@dataclass(frozen=True, slots=True)
class ScreeningValue:
    """A value of a field that may mark a screening culture."""

    token: str
    """Name of the value in the address: ``SPEC_REAS.0``."""
    field: str
    value: str
    rows: int


@dataclass(frozen=True)
class AntibiogramQuery:
    """The antibiogram that a page's address asks for; an empty field sets no condition."""

    period: str = ""
    """Calendar year, ``2025``; empty for each calendar year, or for the days below."""
    first_day: str = ""
    """ISO date."""
    last_day: str = ""
    """ISO date."""
    mode: Mode = Mode.PATIENT
    days: int = _EPISODE
    """Length of an episode, in days."""
    by: tuple[Stratum, ...] = ()
    screening: tuple[str, ...] = ()
    """Tokens of the chosen `ScreeningValue`."""

    @classmethod
    def read(cls, parameters: Mapping[str, str], by: Iterable[str], screening: Iterable[str]) -> "AntibiogramQuery":
        """Create the query from the parameters of a page's address.

        Args:
            parameters: ``period``, ``first_day``, ``last_day``, ``mode`` and ``days``.
            by: names of members of `Stratum`.
            screening: tokens of values that mark a screening culture.
        """
        mode, days = parameters.get("mode", ""), parameters.get("days", "")
        return cls(
            parameters.get("period", ""),
            parameters.get("first_day", ""),
            parameters.get("last_day", ""),
            Mode(mode) if mode in list(Mode) else Mode.PATIENT,
            int(days) if days.isdecimal() and len(days) < 9 and 1 <= int(days) <= _LONGEST_EPISODE else _EPISODE,
            tuple(part for part in Stratum if part.value in set(by)),
            tuple(dict.fromkeys(screening)),
        )

    @cached_property
    def address(self) -> str:
        """The parameters as a query string for the page's address; empty parameters are left out."""
        pairs = [("period", self.period), ("first_day", self.first_day), ("last_day", self.last_day)]
        pairs += [("mode", self.mode.value if self.mode is not Mode.PATIENT else "")]
        pairs += [("days", str(self.days) if self.mode is Mode.EPISODE else "")]
        pairs += [("by", part.value) for part in self.by] + [("screening", token) for token in self.screening]
        return urlencode([pair for pair in pairs if pair[1]])

    @property
    def has_wrong_days(self) -> bool:
        """True when a day of the period is no date, or the period ends before it begins."""
        return bool(self.first_day or self.last_day) and self._days() is None

    def request(self, isolates: CountableIsolates) -> Request:
        """Return the request by which the isolates are counted.

        Args:
            isolates: isolates of the file; values that the file does not have are ignored.
        """
        value_of_token = {value.token: value for value in screening_values(isolates)}
        screening: dict[str, list[str]] = {}
        for token in self.screening:
            if token in value_of_token:
                screening.setdefault(value_of_token[token].field, []).append(value_of_token[token].value)
        return Request(
            first_isolates=FirstIsolates(self.mode, self.days),
            period=self._period(isolates),
            screening=screening,
            by=self.by,
        )

    def _period(self, isolates: CountableIsolates) -> Period | None:
        if not isolates.dated:
            return None
        if self.period in years_of(isolates):
            return Period.read(self.period)
        return self._days()

    def _days(self) -> Period | None:
        try:
            days = Period(date.fromisoformat(self.first_day), date.fromisoformat(self.last_day))
        except ValueError:
            return None
        return days if days.first <= days.last else None


def years_of(isolates: CountableIsolates) -> Sequence[str]:
    """Return the calendar years of a file, newest first."""
    years = isolates.frame["date"].drop_nulls().dt.year().unique().sort(descending=True)
    return [str(year) for year in years]


def screening_values(isolates: CountableIsolates) -> list[ScreeningValue]:
    """Return the values that may mark a screening culture, the most common of each field first."""
    columns = dict(zip(SCREENING_FIELDS, (isolates.reasons, isolates.specimens), strict=True))
    values = []
    for field, column in columns.items():
        texts = column.drop_nulls().str.to_lowercase().str.strip_chars().rename("value")
        value_counts = texts.filter(texts != "").value_counts().sort(["count", "value"], descending=[True, False])
        values += [
            ScreeningValue(f"{field}.{number}", field, value, rows)
            for number, (value, rows) in enumerate(value_counts.head(MOST_VALUES).iter_rows())
        ]
    return values
