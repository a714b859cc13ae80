"""The age group of each isolate's patient, by GLASS's bounds; a file's own groups are kept where it holds no ages."""

import re
from datetime import date
from typing import Final

import polars as pl

from sirena.stewardship.dates import read_dates

_BOUNDS: Final = (1, 5, 15, 25, 35, 45, 55, 65, 75, 85)
_GROUPS: Final = ("<1", "1-4", "5-14", "15-24", "25-34", "35-44", "45-54", "55-64", "65-74", "75-84", "85+")
_AGE: Final = re.compile(r"(\d{1,3})(?:[.,]\d+)?\s*([a-zñ]*)")
_MONTHS: Final = ("m", "mo", "mes", "meses", "month", "months")
_DAYS: Final = ("d", "day", "days", "dia", "dias", "w", "week", "weeks", "sem", "semanas", "h")
_OLDEST: Final = 130


def age_groups(ages: pl.Series, groups: pl.Series, births: pl.Series, dates: pl.Series, today: date) -> pl.Series:
    """Return the age group of each row, null where nothing tells it.

    Args:
        ages: WHONET's ``AGE``: years, or ``3m``, ``10d``.
        groups: ``AGE_GRP``, used when no row has an age or a birth date.
        births: ``DATE_BIRTH``, used where the age is missing.
        dates: of the specimens.
        today: later birth dates are none.
    """
    distinct = ages.unique().drop_nulls()
    read = pl.Series([_group(text) for text in distinct.to_list()], dtype=pl.String)
    by_age = ages.replace_strict(distinct, read, default=None, return_dtype=pl.String)
    if births.null_count() < len(births) and by_age.null_count():
        born = _births(births, today)
        years = ((dates - born).dt.total_days() / 365.25).floor()
        by_birth = years.cut(list(_BOUNDS), labels=list(_GROUPS), left_closed=True).cast(pl.String)
        by_age = by_age.zip_with(by_age.is_not_null(), by_birth)
    return by_age if by_age.null_count() < len(by_age) else groups.str.strip_chars()


def _births(births: pl.Series, today: date) -> pl.Series:
    # births before 1970 are real: read by year alone, which is as near as a group of ten years needs
    read = read_dates(births, today).dates
    years = births.str.extract(r"((?:18|19|20)\d{2})").cast(pl.Int32, strict=False)
    middle = pl.select(pl.date(pl.lit(years), 7, 1)).to_series()
    return read.zip_with(read.is_not_null(), middle)


def _group(text: str) -> str | None:
    match = _AGE.fullmatch(text.strip().lower())
    if match is None:
        return None
    number, unit = int(match[1]), match[2]
    if unit in _DAYS:
        return _GROUPS[0]
    years = number // 12 if unit in _MONTHS else number
    if years > _OLDEST:
        return None
    return _GROUPS[sum(years >= bound for bound in _BOUNDS)]
