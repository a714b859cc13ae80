"""Drift: whether results of a period differ from the year before, or from those held when the models were trained.

Rules, each with a test of like name:

- for each antimicrobial these shares are compared: of each category among answered results; of each reason of refusal
  among all results; and of results with an organism, kind of specimen or MIC that the other side never had;
- a share drifts if its difference is at least 5 percentage points and the interval of the difference excludes zero:
  Newcombe's for
  two independent shares, at 95 % for all comparisons with one side together (Bonferroni: 0.05 divided by their number);
- a share among fewer than 30 results on either side is not judged;
- trainings keep only labelled results, so refusals are not compared with them, and only answered results count as
  unseen;
- the difference of a category is split into the part due to a change of organisms and the part within organisms
  (Kitagawa);
- without dates there is no year before, and the whole file is the period.

Sources: Newcombe RG, Stat Med 1998;17:873 (interval); Kitagawa EM, J Am Stat Assoc 1955;50:1168 (parts). The 5 points
are Sirena's own figure; 30 is CLSI M39's. Repeated isolates of a patient count although they are not independent, so an
outbreak of one strain shows drift too easily.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final

import polars as pl

from sirena.domain.truth_table import ANSWERS
from sirena.panel.column_answers import TablesFor
from sirena.stewardship.cells import FEW
from sirena.stewardship.drift_populations import (
    TrainingCounts,
    is_answered,
    last_quarter,
    population_of_file,
    population_of_training,
    require_results,
    year_before,
)
from sirena.stewardship.intervals import newcombe
from sirena.stewardship.isolates import CountableIsolates
from sirena.stewardship.periods import Period
from sirena.stewardship.results import Results

LEAST: Final = 0.05
"""Smallest difference that counts as drift, however certain it is."""
RISK: Final = 0.05
"""Probability of any false drift among all comparisons with one side."""


class Measure(enum.StrEnum):
    """The kind of share that is compared."""

    CATEGORY = "category"
    REFUSAL = "refusal"
    ORGANISM = "unseen_organism"
    SPECIMEN = "unseen_specimen"
    MIC = "unseen_mic"


UNSEEN: Final = {Measure.ORGANISM: "organism", Measure.SPECIMEN: "site", Measure.MIC: "mic"}
"""Column of a population in which a value may be unseen, by measure."""


class Side(enum.StrEnum):
    """What a period is compared with: the twelve months before it, or the results held at training."""

    LAST_YEAR = "last_year"
    TRAINING = "training"


@dataclass(frozen=True)
class Comparison:
    """One share in the period, and the same share on the side it is compared with."""

    column: str
    """Model column, ``AMK_NM``."""
    measure: Measure
    what: str
    """The category or reason; empty for a measure of unseen values."""
    events: int
    n: int
    events_before: int
    n_before: int
    low: float | None = None
    """Lower limit of the difference, as a share; None if it is not judged."""
    high: float | None = None
    by_organisms: float | None = None
    """Part of a category's difference that is due to a change of organisms; None for other measures."""

    @property
    def share(self) -> float | None:
        """Share in the period; None if there are no results."""
        return self.events / self.n if self.n else None

    @property
    def share_before(self) -> float | None:
        """Share in the year before, or in training; None if there are no results."""
        return self.events_before / self.n_before if self.n_before else None

    @property
    def difference(self) -> float | None:
        """Share in the period minus `share_before`; None if one of them is None."""
        return None if self.share is None or self.share_before is None else self.share - self.share_before

    @property
    def is_judged(self) -> bool:
        """False if there are too few results to judge."""
        return self.low is not None

    @property
    def drifts(self) -> bool:
        """True if the difference is large enough and its confidence interval excludes zero."""
        if self.low is None or self.high is None or self.difference is None:
            return False
        return abs(self.difference) >= LEAST and (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class SideComparisons:
    """All comparisons of the period with one side: the year before, or training."""

    side: Side
    period: Period | None
    """The year before; None for training."""
    results: int
    comparisons: tuple[Comparison, ...]

    @property
    def judged_count(self) -> int:
        """Number of comparisons that are judged; together they share the 5 % risk of a false alarm."""
        return sum(comparison.is_judged for comparison in self.comparisons)

    @property
    def drifting_comparisons(self) -> tuple[Comparison, ...]:
        """Comparisons that drift, the largest difference first."""
        comparisons = [comparison for comparison in self.comparisons if comparison.drifts]
        return tuple(
            sorted(
                comparisons,
                key=lambda comparison: (
                    -abs(comparison.difference or 0.0),
                    comparison.column,
                    comparison.measure,
                    comparison.what,
                ),
            )
        )


@dataclass(frozen=True)
class Drift:
    """The drift of a period of a file."""

    period: Period | None
    """The period; None if the whole file is compared."""
    results: int
    sides: tuple[SideComparisons, ...]
    training: TrainingCounts | None
    """Counts kept by the models' trainings; None if no model answers, or they are not available."""

    @property
    def is_found(self) -> bool:
        """True if at least one comparison drifts."""
        return any(side.drifting_comparisons for side in self.sides)


def measure_drift(
    isolates: CountableIsolates,
    results: Results,
    tables_for: TablesFor,
    *,
    training: TrainingCounts | None = None,
    period: Period | None = None,
    whole: bool = False,
) -> Drift:
    """Compare a period of a file with the twelve months before it, and with the results held at training.

    Args:
        isolates: isolates of the file.
        results: results of the same rows, given by `tables_for`.
        tables_for: returns the truth table of a test column.
        training: counts kept by the models' trainings; None for no comparison with training.
        period: period to compare; by default the last calendar quarter in the file.
        whole: True to compare all rows of the file, and only with training.

    Raises:
        UsageError: the period has no results.
    """
    compared_period = None if whole else period or last_quarter(isolates)
    current_population = population_of_file(isolates, results, compared_period)
    require_results(current_population, compared_period)
    sides = []
    if compared_period is not None:
        earlier = year_before(compared_period)
        earlier_population = population_of_file(isolates, results, earlier)
        sides.append(_side(Side.LAST_YEAR, earlier, current_population, earlier_population))
    if training is not None:
        sides.append(_side(Side.TRAINING, None, current_population, population_of_training(training, tables_for)))
    return Drift(compared_period, int(current_population["n"].sum()), tuple(sides), training)


def _side(side: Side, period: Period | None, current: pl.DataFrame, earlier: pl.DataFrame) -> SideComparisons:
    columns = sorted(set(current["column"]) & set(earlier["column"]))
    comparisons = [
        comparison
        for column in columns
        for comparison in _comparisons(
            column, current.filter(pl.col("column") == column), earlier.filter(pl.col("column") == column), side
        )
    ]
    return SideComparisons(side, period, int(earlier["n"].sum()), _with_limits(comparisons, side))


def _comparisons(column: str, current: pl.DataFrame, earlier: pl.DataFrame, side: Side) -> Iterator[Comparison]:
    answered_rows, earlier_answered_rows = current.filter(is_answered()), earlier.filter(is_answered())
    n, n_before = int(answered_rows["n"].sum()), int(earlier_answered_rows["n"].sum())
    events, events_before = _by(answered_rows, _CATEGORY), _by(earlier_answered_rows, _CATEGORY)
    for category in [name for name in _CATEGORIES if name in events or name in events_before]:
        parts = _by_organisms(answered_rows, earlier_answered_rows, category)
        counts = events.get(category, 0), n, events_before.get(category, 0), n_before
        yield Comparison(column, Measure.CATEGORY, category, *counts, by_organisms=parts)
    refusals, earlier_refusals = _by(current, _REASON), _by(earlier, _REASON)
    all_current, all_earlier = int(current["n"].sum()), int(earlier["n"].sum())
    for reason in sorted({*refusals, *earlier_refusals} - {""}):
        counts = refusals.get(reason, 0), all_current, earlier_refusals.get(reason, 0), all_earlier
        yield Comparison(column, Measure.REFUSAL, reason, *counts)
    examined, reference = (answered_rows, earlier_answered_rows) if side is Side.TRAINING else (current, earlier)
    for measure, name in UNSEEN.items():
        readable = examined.filter(pl.col("mic") >= 0) if measure is Measure.MIC else examined.drop_nulls(name)
        unseen_rows = readable.filter(~pl.col(name).is_in(reference[name].drop_nulls().unique().to_list()))
        counts = int(unseen_rows["n"].sum()), int(readable["n"].sum()), 0, int(reference["n"].sum())
        yield Comparison(column, measure, "", *counts)


def _with_limits(comparisons: list[Comparison], side: Side) -> tuple[Comparison, ...]:
    """Return comparisons with limits for those that are judged; the more are judged, the wider the limits."""
    judged_comparisons = [
        comparison
        for comparison in comparisons
        if min(comparison.n, comparison.n_before) >= FEW
        and not (side is Side.TRAINING and comparison.measure is Measure.REFUSAL)
    ]
    if not judged_comparisons:
        return tuple(comparisons)
    z = NormalDist().inv_cdf(1 - RISK / (2 * len(judged_comparisons)))
    current_counts = (
        [comparison.events for comparison in judged_comparisons],
        [comparison.n for comparison in judged_comparisons],
    )
    lows, highs = newcombe(
        *current_counts,
        [comparison.events_before for comparison in judged_comparisons],
        [comparison.n_before for comparison in judged_comparisons],
        z,
    )
    limited_comparisons = {
        id(comparison): replace(comparison, low=float(low), high=float(high))
        for comparison, low, high in zip(judged_comparisons, lows, highs, strict=True)
    }
    return tuple(limited_comparisons.get(id(comparison), comparison) for comparison in comparisons)


_CATEGORY: Final = [answer.category.value if answer and answer.reason is None else "" for answer in ANSWERS]
_REASON: Final = [answer.reason.value if answer and answer.reason is not None else "" for answer in ANSWERS]
_CATEGORIES: Final = tuple(dict.fromkeys(name for name in _CATEGORY if name))


def _by(population: pl.DataFrame, names: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for answer, n in population.group_by("answer").agg(pl.col("n").sum()).iter_rows():
        counts[names[answer]] = counts.get(names[answer], 0) + n
    return counts


def _by_organisms(current: pl.DataFrame, earlier: pl.DataFrame, category: str) -> float | None:
    """Return the part of a category's difference that is due to a change of organisms.

    An organism that one side lacks is assumed to have the same share there as on the other side, so that its appearance
    belongs entirely to this part.
    """
    if current.is_empty() or earlier.is_empty():
        return None
    codes = [code for code, name in enumerate(_CATEGORY) if name == category]
    shares = []
    for side in (current, earlier):
        events = pl.col("n").filter(pl.col("answer").is_in(codes)).sum()
        per_organism = side.group_by("organism").agg((events / pl.col("n").sum()).alias("share"), pl.col("n").sum())
        shares.append(per_organism.with_columns(pl.col("n") / pl.col("n").sum()))
    joined_shares = shares[0].join(
        shares[1], on="organism", how="full", suffix="_before", coalesce=True, nulls_equal=True
    )
    filled_shares = joined_shares.select(
        pl.col("n", "n_before").fill_null(0.0),
        pl.coalesce("share", "share_before").alias("share"),
        pl.coalesce("share_before", "share").alias("share_before"),
    )
    moved_share = (pl.col("n") - pl.col("n_before")) * (pl.col("share") + pl.col("share_before")) / 2
    return float(filled_shares.select(moved_share.sum()).item())
