"""First isolates: which of a patient's isolates of one species are counted.

Otherwise a patient who is cultured often would count often, and such patients have more resistant isolates. CLSI
M39 counts the first isolate of a species, patient and analysis period, whatever its specimen and its susceptibility.

Rules, each with a test of like name:

- by default the first isolate of patient, species and period counts (`Mode.PATIENT`); another rule is named in every
  title;
- an isolate without a patient counts as a separate patient;
- an episode lasts N days from its first isolate; the isolate of day N begins the next, across the turn of the year;
- by phenotype an isolate also counts if it differs from the one before it by two points or more: 1 for S against R, 0.5
  for I against either, nothing for an untested drug (as AMR for R computes it);
- by specimen each kind of specimen counts (as GLASS does);
- each ward has its own first isolates. Source: CLSI M39-A5 as its authors describe it (Simner et al., J Clin Microbiol
  2022;60:e02210-21, table 1).
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sirena.stewardship.results import NS, SDD, I, R, Results, S

_FULL_POINT: Final = 2
"""Difference of levels between S and R, which is one point."""
_BEYOND: Final = 2_000_000
"""More days than a calendar has."""


class Mode(enum.StrEnum):
    """The rule by which isolates are counted."""

    PATIENT = "patient"
    """The first isolate of patient, species and period counts."""
    EPISODE = "episode"
    """The first isolate of each episode of N days counts."""
    PHENOTYPE = "phenotype"
    """The first isolate of the period counts, and each that differs from the one before it."""
    SPECIMEN = "specimen"
    """The first isolate of patient, species, kind of specimen and period counts."""
    ALL = "all"
    """Every isolate counts."""


@dataclass(frozen=True)
class FirstIsolates:
    """The rule by which isolates are counted, with its parameters."""

    mode: Mode = Mode.PATIENT
    days: int = 30
    """Length of an episode, in days."""
    points: float = 2
    """Smallest difference of two phenotypes, in points."""

    def choose(self, isolates: pl.DataFrame, results: Results | None = None, *, place: Sequence[str] = ()) -> pl.Series:
        """Return which isolates count, as a Boolean for each row.

        Args:
            isolates: isolates in the order of time, with ``row``, ``patient``, ``species``, ``specimen``, ``date``,
                ``period``.
            results: results of the same file or part of a file; needed only by phenotype.
            place: columns whose values have separate first isolates (the ward).
        """
        if self.mode is Mode.ALL:
            return pl.repeat(True, isolates.height, eager=True, dtype=pl.Boolean)
        by_date = self.mode is Mode.EPISODE and isolates["date"].null_count() < isolates.height
        parts = [*(["specimen"] if self.mode is Mode.SPECIMEN else []), *([] if by_date else ["period"]), *place]
        key = _key(isolates, parts)
        if by_date:
            return pl.Series(_episodes(key, isolates["date"], self.days))
        if self.mode is Mode.PHENOTYPE and results:
            return pl.Series(_phenotypes(key, isolates["row"].to_numpy(), results, self.points))
        return pl.Series(key).is_first_distinct()


def _key(isolates: pl.DataFrame, parts: Sequence[str]) -> NDArray[np.int64]:
    """Return a number for each row's patient, species and further parts; each unknown patient has a separate number."""
    ranks = isolates.select(
        pl.col("patient", "species").rank("dense").cast(pl.Int64),
        *(
            pl.col(part).cast(pl.String).fill_null("").rank("dense").cast(pl.Int64).alias(f"part {part}")
            for part in parts
        ),
    )
    patients = int(ranks["patient"].max() or 0)  # type: ignore[arg-type]
    key = ranks["patient"].fill_null(patients + 1 + pl.Series(np.arange(isolates.height))).to_numpy().copy()
    for part in ranks.columns[1:]:
        numbers = ranks[part].fill_null(0).to_numpy()
        key = key * (int(numbers.max(initial=0)) + 1) + numbers
    return np.asarray(key, dtype=np.int64)


def _grouped(key: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the positions of rows ordered by key and time, and which of them begin a group."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    begins = np.ones(len(order), dtype=bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    return order, begins


def _episodes(key: NDArray[np.int64], dates: pl.Series, days: int) -> NDArray[np.bool_]:
    order, begins = _grouped(key)
    is_kept = np.zeros(len(order), dtype=bool)
    day = dates.cast(pl.Int32).fill_null(0).to_numpy().astype(np.int64)[order]
    group = np.cumsum(begins) - 1
    moment = group * _BEYOND + day
    end = np.append(np.flatnonzero(begins), len(order))
    current = np.flatnonzero(begins)
    while len(current):
        is_kept[order[current]] = True
        following = np.searchsorted(moment, moment[current] + days)
        current = following[following < end[group[current] + 1]]
    return is_kept


def _phenotypes(key: NDArray[np.int64], rows: NDArray[np.uint32], results: Results, points: float) -> NDArray[np.bool_]:
    order, begins = _grouped(key)
    difference = np.zeros(max(len(order) - 1, 0), dtype=np.int32)
    level_of_kind = np.zeros(16, dtype=np.int8)
    for kind, level in ((S, 1), (SDD, 2), (I, 2), (R, 3), (NS, 3)):
        level_of_kind[kind] = level
    for drug in results.values():
        levels = level_of_kind[drug.kinds[rows][order]]
        is_decided = (levels[1:] > 0) & (levels[:-1] > 0)
        difference += np.where(is_decided, np.abs(levels[1:] - levels[:-1]), 0)
    is_kept = np.zeros(len(order), dtype=bool)
    is_kept[order] = begins | np.append(True, difference >= points * _FULL_POINT)[: len(order)]
    return is_kept
