"""The age group of each isolate's patient, by GLASS's limits; if a file holds no ages, its own groups are kept."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

import polars as pl

from sirena.stewardship.dates import EARLIEST_BIRTH, read_dates

_BOUNDS: Final = (1, 5, 15, 25, 35, 45, 55, 65, 75, 85)
_GROUPS: Final = ("<1", "1-4", "5-14", "15-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75-84", "85+")
_AGE: Final = re.compile(r"(\d{1,3})(?:[.,]\d+)?\s*([a-zñ]*)")
_MONTHS: Final = ("m", "mo", "mes", "meses", "month", "months")
_DAYS: Final = ("d", "day", "days", "dia", "dias", "w", "week", "weeks", "sem", "semanas", "h")
_OLDEST: Final = 130


_NOTHING: Final[Mapping[str, Sequence[str]]] = {}


def age_groups(
    ages: pl.Series,
    groups: pl.Series,
    births: pl.Series,
    dates: pl.Series,
    today: date,
    *,
    whole_texts: Mapping[str, Sequence[str]] = _NOTHING,
) -> pl.Series:
    """Return the age group of each row's patient; null if it is not known.

    Args:
        ages: WHONET's ``AGE``: years, or ``3m``, ``10d``.
        groups: ``AGE_GRP``, used when no row has an age or a birth date.
        births: ``DATE_BIRTH``, used where the age is missing.
        dates: dates of the specimens.
        today: birth dates after this day are ignored.
        whole_texts: distinct texts by field in the whole file, if the rows are a part of it.
    """
    born = read_dates(births, today, earliest=EARLIEST_BIRTH, whole_texts=whole_texts.get("DATE_BIRTH"))
    aged = any(_age(text) is not None for text in whole_texts.get("AGE", ages.unique().drop_nulls().to_list()))
    if not (aged or born.has_dates):
        return groups.str.strip_chars()
    years = _ages(ages, born.dates, dates)
    group_of = {age: _GROUPS[sum(age >= bound for bound in _BOUNDS)] for age in years.unique().drop_nulls()}
    return years.replace_strict(group_of, default=None, return_dtype=pl.String)


def ages_in_years(ages: pl.Series, births: pl.Series, dates: pl.Series, today: date) -> pl.Series:
    """Return the completed years of age of each row's patient; null if not known.

    Args:
        ages: WHONET's ``AGE``: years, or ``3m``, ``10d``.
        births: ``DATE_BIRTH``, used where the age is missing.
        dates: dates of the specimens.
        today: birth dates after this day are ignored.
    """
    return _ages(ages, read_dates(births, today, earliest=EARLIEST_BIRTH).dates, dates)


def _ages(ages: pl.Series, born: pl.Series, dates: pl.Series) -> pl.Series:
    distinct = ages.unique().drop_nulls()
    years_of_text = pl.Series([_age(text) for text in distinct.to_list()], dtype=pl.Int32)
    by_age = ages.replace_strict(distinct, years_of_text, default=None, return_dtype=pl.Int32)
    if born.null_count() < len(born) and by_age.null_count():
        by_age = by_age.zip_with(by_age.is_not_null(), _years(born, dates))
    return by_age


def _years(born: pl.Series, dates: pl.Series) -> pl.Series:
    """Return the completed years of life of each row; null if a date is missing, or birth is after the specimen."""
    is_before_birthday = 100 * dates.dt.month().cast(pl.Int32) + dates.dt.day() < (
        100 * born.dt.month().cast(pl.Int32) + born.dt.day()
    )
    years = dates.dt.year() - born.dt.year() - is_before_birthday.cast(pl.Int32)
    return years.set(years < 0, None)


def _age(text: str) -> int | None:
    match = _AGE.fullmatch(text.strip().lower())
    if match is None:
        return None
    number, unit = int(match[1]), match[2]
    if unit in _DAYS:
        return 0
    years = number // 12 if unit in _MONTHS else number
    return years if years <= _OLDEST else None
