"""Rows that are excluded before first isolates are chosen, in a fixed order, and how many each step removes.

The order matters: if screening isolates were excluded after de-duplication, a patient whose first isolate is a
screening swab would lose the infection's isolate too. So the order is: no organism, no date, quality control, other
hosts, screening, outside the period; then first isolates.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from sirena.domain.errors import UsageError
from sirena.stewardship.isolates import CountableIsolates
from sirena.stewardship.periods import Period, calendar_years

STEPS: Final = (*("no_organism", "no_date", "quality_control", "not_human", "screening", "outside_period", "repeat"),)
"""The steps, in order."""
SCREENING_FIELDS: Final = ("SPEC_REAS", "SPEC_TYPE")
"""Fields whose values may mark a screening culture. Only the laboratory knows which values do, so none is assumed."""
_LIKE_A_CODE: Final = re.compile(r"[^\W\d_]{1,4}")


@dataclass(frozen=True, slots=True)
class Loss:
    """One step between the file's rows and the counted isolates, with the numbers of rows removed and left."""

    step: str
    """Name of the step, one of `STEPS`."""
    removed_rows: int
    left_rows: int


def added_losses(parts: Iterable[Sequence[Loss]]) -> tuple[Loss, ...]:
    """Add up, step by step, the losses of the parts of a file.

    >>> added_losses([[Loss("screening", 1, 9)], [Loss("screening", 2, 5)]])
    (Loss(step='screening', removed_rows=3, left_rows=14),)
    """
    return tuple(
        Loss(
            step_losses[0].step,
            sum(loss.removed_rows for loss in step_losses),
            sum(loss.left_rows for loss in step_losses),
        )
        for step_losses in zip(*parts, strict=True)
    )


@dataclass(frozen=True)
class Remaining:
    """The isolates that are left, and the losses at each step."""

    isolates: pl.DataFrame
    """Isolates in the order of time, with a column ``period``."""
    losses: tuple[Loss, ...]


def exclude(facts: CountableIsolates, screening: Mapping[str, Sequence[str]], period: Period | None) -> Remaining:
    """Exclude rows that are no isolate, not diagnostic, or outside the period; return what is left.

    Args:
        facts: facts of a file's isolates.
        screening: values that mark a screening culture, by field of `SCREENING_FIELDS`.
        period: the range to count; None counts each calendar year.

    Raises:
        UsageError: no row has such a value, or a period is given for a file without dates.
    """
    if period is not None and not facts.dated:
        raise UsageError("--period needs dates, and no row has one", hint="leave --period out: all rows count as one")
    is_screened = is_screening(facts, screening)
    step = (
        pl.when(pl.col("excluded").is_not_null())
        .then(pl.col("excluded"))
        .when(pl.lit(is_screened))
        .then(pl.lit("screening"))
        .when(~period.holds() if period is not None else pl.lit(False))
        .then(pl.lit("outside_period"))
    )
    marked_isolates = facts.frame.with_columns(step.alias("excluded"))
    removed_rows = dict(marked_isolates["excluded"].drop_nulls().value_counts().iter_rows())
    left_rows, losses = marked_isolates.height, []
    for name in STEPS[:-1]:
        left_rows -= removed_rows.get(name, 0)
        losses.append(Loss(name, removed_rows.get(name, 0), left_rows))
    label = (
        pl.lit(str(period) if period is not None else "") if period is not None or not facts.dated else calendar_years()
    )
    isolates = marked_isolates.filter(pl.col("excluded").is_null()).drop("excluded").with_columns(label.alias("period"))
    return Remaining(isolates, tuple(losses))


def is_screening(facts: CountableIsolates, screening: Mapping[str, Sequence[str]]) -> pl.Series:
    """Return a Boolean per row, True for a screening culture, in the order of `CountableIsolates.frame`.

    Args:
        facts: facts of a file's isolates.
        screening: values that mark a screening culture, by field of `SCREENING_FIELDS`.

    Raises:
        UsageError: no row has such a value, or the field is not in `SCREENING_FIELDS`.
    """
    columns = {"SPEC_REAS": facts.reasons, "SPEC_TYPE": facts.specimens}
    is_screened = pl.repeat(False, facts.frame.height, eager=True, dtype=pl.Boolean)
    for field, values in screening.items():
        if field not in columns:
            raise UsageError(f"--leave-out knows no field {field}", hint=f"one of {', '.join(SCREENING_FIELDS)}")
        present, cells = facts.values[field], columns[field].str.to_lowercase()
        for value in (value.strip().lower() for value in values):
            if value not in present:
                raise UsageError(f"no row has the value of --leave-out in {field}", hint=_present(present))
            is_screened = is_screened | (cells == value).fill_null(value=False)
    return is_screened


def read_screening(entries: Sequence[str]) -> dict[str, list[str]]:
    """Return the values by field that ``--leave-out`` names: ``SPEC_REAS=sur``.

    Raises:
        UsageError: an entry names no value.

    >>> read_screening(["SPEC_REAS=screening"])
    {'SPEC_REAS': ['screening']}
    """
    values: dict[str, list[str]] = {}
    for entry in entries:
        field, equals, value = entry.partition("=")
        if not equals or not value.strip():
            raise UsageError("--leave-out names no value", hint="write SPEC_REAS=sur")
        values.setdefault(field.strip().upper(), []).append(value)
    return values


def _present(values: Iterable[str]) -> str:
    # a longer text may be a misplaced cell, so only codes are shown
    codes = [text for text in sorted(values) if _LIKE_A_CODE.fullmatch(text)]
    return f"values there: {', '.join(codes)}" if codes else "the column holds no codes"
