"""The cumulative antibiogram of a file: exclusions, first isolates, counts, cells, and cautions for the reader.

>>> Request().first_isolates.mode
<Mode.PATIENT: 'patient'>
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from operator import add
from typing import Final, Self

import polars as pl

from sirena.stewardship.cautions import UNKNOWN_PATIENTS, Caution, FileNotes, file_cautions
from sirena.stewardship.cells import antibiogram_cells
from sirena.stewardship.combinations import combination_columns, combination_counts, combination_shares
from sirena.stewardship.counts import Counts
from sirena.stewardship.exclusions import Loss, added_losses, exclude
from sirena.stewardship.first_isolates import FirstIsolates, Mode
from sirena.stewardship.isolates import CountableIsolates
from sirena.stewardship.methicillin import with_methicillin_rows
from sirena.stewardship.periods import Period
from sirena.stewardship.results import Results
from sirena.stewardship.selective import PairCounts, pair_counts, selectively_tested
from sirena.stewardship.strata import WHOLE, Stratum
from sirena.stewardship.wisca import syndrome_counts, wisca


@dataclass(frozen=True)
class Request:
    """How an antibiogram is counted, and which further tables it has."""

    first_isolates: FirstIsolates = field(default_factory=FirstIsolates)
    period: Period | None = None
    """Period to count; None counts each calendar year of the file."""
    screening: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Values by which a screening culture is recognised, by field."""
    by: tuple[Stratum, ...] = ()
    """Strata by which further antibiograms are made, one for each ward, year and so on."""
    combinations: tuple[str, ...] = ()
    """Combinations of drugs given together, ``TZP+AMK``."""
    wisca: bool = False
    trend: bool = False
    """True to count each year separately too."""


@dataclass(frozen=True)
class Antibiogram:
    """The antibiogram of a file."""

    cells: pl.DataFrame
    """Cells as of `antibiogram_cells`, with a first column ``by``: ``all`` or a value of `Stratum`."""
    combinations: pl.DataFrame
    """Result of `combination_shares` with a column ``by``; empty if no combination was requested."""
    wisca: pl.DataFrame
    """Result of `wisca`; empty if it was not requested."""
    trend: pl.DataFrame
    """Cells as of `antibiogram_cells`, with years as strata; empty if not requested, or if the file holds one year."""
    distribution: pl.DataFrame
    """MICs of the counted isolates: ``species``, ``column``, ``mic`` (`Mic.code`), ``n``."""
    losses: tuple[Loss, ...]
    """Steps from the rows of the file to the counted isolates."""
    cautions: tuple[Caution, ...]
    request: Request
    first_day: date | None
    last_day: date | None
    rows: int
    """Number of rows in the file."""
    isolates: int
    """Number of counted isolates."""
    source: str
    """What gave the categories: ``reference · CLSI 2026``, ``release 3 · CLSI 2026``."""
    moved_by_rules: Mapping[str, int] | None
    """Number of results that each expert rule changed to R; None if no rules were applied."""

    @property
    def several_guidelines(self) -> bool:
        """True if the test columns are of several guidelines, so that headings must name the guideline."""
        return self.cells["guideline"].n_unique() > 1

    @property
    def is_deduplicated(self) -> bool:
        """False if the request counts every isolate, or if too many isolates have no patient."""
        if self.request.first_isolates.mode is Mode.ALL:
            return False
        return not any(
            caution.code == "no_patients"
            or (
                caution.code == "unknown_patients"
                and int(caution.figures["rows"]) > UNKNOWN_PATIENTS * int(caution.figures["isolates"])
            )
            for caution in self.cautions
        )


@dataclass(frozen=True)
class AntibiogramCounts:
    """The counts that an antibiogram is made of. Counts of parts of a file that share no patient can be added."""

    columns: tuple[str, ...]
    """Model columns, in the order of the file."""
    notes: FileNotes
    losses: tuple[Loss, ...]
    cells: Mapping[str, Counts]
    """Counts of results by ``all`` or a value of `Stratum`."""
    combinations: pl.DataFrame
    """Result of `combination_counts` with a column ``by``."""
    syndromes: pl.DataFrame
    """Result of `syndrome_counts`; empty if WISCA was not requested."""
    years: Counts | None
    """Counts with years as strata; None if the trend was not requested."""
    pairs: Mapping[str, PairCounts]
    """Pairs of columns by species, to find selectively tested drugs."""
    first_day: date | None
    last_day: date | None
    rows: int
    isolates: int
    """Number of counted isolates."""

    @classmethod
    def added(cls, parts: Sequence["AntibiogramCounts"]) -> Self:
        """Add up the counts of parts of a file; the parts must share no patient.

        Raises:
            ValueError: the parts have different columns.
        """
        if len({part.columns for part in parts}) > 1:
            raise ValueError("parts of files with other columns do not add up")
        species = dict.fromkeys(name for part in parts for name in part.pairs)
        years = [part.years for part in parts if part.years is not None]
        days = [day for part in parts for day in (part.first_day, part.last_day) if day is not None]
        return cls(
            parts[0].columns,
            FileNotes.added(part.notes for part in parts),
            added_losses(part.losses for part in parts),
            {by: Counts.added(part.cells[by] for part in parts) for by in parts[0].cells},
            _summed(pl.concat(part.combinations for part in parts)),
            _summed(pl.concat(part.syndromes for part in parts)),
            Counts.added(years) if years else None,
            {name: reduce(add, (part.pairs[name] for part in parts if name in part.pairs)) for name in species},
            min(days, default=None),
            max(days, default=None),
            sum(part.rows for part in parts),
            sum(part.isolates for part in parts),
        )


def count_part(
    facts: CountableIsolates, results: Results, request: Request, *, progress: Callable[[str], None] | None = None
) -> AntibiogramCounts:
    """Return the counts of a file, or of a part that shares no patient with the other parts.

    Args:
        facts: facts of its isolates.
        results: results of the same rows.
        request: how to count.
        progress: called with the name of each stratification before it is counted.

    Raises:
        UsageError: the request names a value, period or combination that the file lacks.
    """
    remaining = exclude(facts, request.screening, request.period)
    isolates = remaining.isolates
    first_rows = isolates.filter(request.first_isolates.choose(isolates, results))
    column_groups = [combination_columns(text, list(results)) for text in request.combinations]
    combined_columns = [columns for group in column_groups for columns in group]
    cells, combinations = {}, [pl.DataFrame(schema=_COMBINATIONS)]
    for by in (None, *request.by):
        name = by.value if by else WHOLE
        if progress is not None:
            progress(name)
        counted_isolates = with_methicillin_rows(
            _stratified(isolates, first_rows, by, request.first_isolates, results), results
        )
        cells[name] = Counts.of(counted_isolates, results)
        combinations += [
            combination_counts(counted_isolates, results, columns).select(pl.lit(name).alias("by"), pl.all())
            for columns in combined_columns
        ]
    regimens = [*((column,) for column in results), *combined_columns] if request.wisca else []
    days = first_rows["date"]
    return AntibiogramCounts(
        tuple(results),
        FileNotes.of(facts, isolates, results),
        (*remaining.losses, Loss("repeat", isolates.height - first_rows.height, first_rows.height)),
        cells,
        pl.concat(combinations),
        syndrome_counts(first_rows, results, regimens),
        _years(isolates, first_rows, request.first_isolates, results) if request.trend else None,
        pair_counts(first_rows, results),
        days.min(),  # type: ignore[arg-type]
        days.max(),  # type: ignore[arg-type]
        facts.frame.height,
        first_rows.height,
    )


def antibiogram_of(
    counts: AntibiogramCounts,
    request: Request,
    *,
    source: str,
    cautions: Sequence[Caution] = (),
    moved_by_rules: Mapping[str, int] | None = None,
) -> Antibiogram:
    """Return the antibiogram computed from counts.

    Args:
        counts: counts of a file.
        request: the request by which the isolates were counted.
        source: name of the guideline edition or release that gave the categories.
        cautions: further cautions that the caller knows.
        moved_by_rules: number of results that each expert rule changed to R; None if no rules were applied.
    """
    all_cautions = [
        *cautions,
        *file_cautions(counts.notes, counts.columns, counts.losses, request.first_isolates, request.by),
    ]
    selective = selectively_tested(counts.pairs, counts.columns)
    all_cautions += [
        Caution("selective", {"species": species, "drug": column, "other": other})
        for (species, column), other in selective.items()
    ]
    cells = pl.concat(
        antibiogram_cells(of_strata).select(pl.lit(by).alias("by"), pl.all()) for by, of_strata in counts.cells.items()
    )
    table = _with_selective(cells, selective)
    groups = table.filter("identifying").select("by", "stratum", "species").n_unique()
    if groups:
        all_cautions.append(Caution("identifying", {"groups": groups}))
    return Antibiogram(
        table,
        _percentages(counts.combinations, list(counts.cells)) if request.combinations else pl.DataFrame(),
        wisca(counts.syndromes) if request.wisca else pl.DataFrame(),
        _trend(counts.years) if counts.years is not None else table.clear(),
        _distribution(counts.cells[WHOLE].results),
        counts.losses,
        tuple(all_cautions),
        request,
        counts.first_day,
        counts.last_day,
        counts.rows,
        counts.isolates,
        source,
        moved_by_rules,
    )


_COMBINATIONS: Final = {
    "by": pl.String,
    "stratum": pl.String,
    "species": pl.String,
    "combination": pl.String,
    "n": pl.Int64,
    "covered": pl.Int64,
}


def _stratified(
    isolates: pl.DataFrame,
    first_rows: pl.DataFrame,
    by: Stratum | None,
    first_isolates: FirstIsolates,
    results: Results,
) -> pl.DataFrame:
    """Return the isolates that count in each stratum, with a column ``stratum``."""
    if by is None:
        return first_rows.with_columns(pl.lit(WHOLE).alias("stratum"))
    if not (by.is_place or by.is_time):
        return first_rows.with_columns(by.label.alias("stratum"))
    stratified_isolates = isolates.with_columns(by.label.alias("stratum"))
    if by.is_time:
        stratified_isolates = stratified_isolates.with_columns(pl.col("stratum").alias("period"))
    return stratified_isolates.filter(first_isolates.choose(stratified_isolates, results, place=["stratum"]))


def _years(isolates: pl.DataFrame, first_rows: pl.DataFrame, first_isolates: FirstIsolates, results: Results) -> Counts:
    by_year = _stratified(isolates, first_rows, Stratum.YEAR, first_isolates, results)
    return Counts.of(with_methicillin_rows(by_year, results), results)


def _trend(years: Counts) -> pl.DataFrame:
    """Return the cells of each year; none if the file holds one year."""
    cells = antibiogram_cells(years)
    return cells if years.isolates["stratum"].n_unique() > 1 else cells.clear()


def _percentages(combinations: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return the percentages of combinations: for each stratification in turn, in the order of the request."""
    combination_names = combinations["combination"].unique(maintain_order=True)
    return pl.concat(
        combination_shares(combinations.filter((pl.col("by") == by) & (pl.col("combination") == name))).select(
            pl.lit(by).alias("by"), pl.all()
        )
        for by in names
        for name in combination_names
    )


def _summed(counts: pl.DataFrame) -> pl.DataFrame:
    figures = pl.col("n", "covered")
    return counts.group_by(pl.exclude("n", "covered"), maintain_order=True).agg(figures.sum()).select(counts.columns)


def _distribution(results: pl.DataFrame) -> pl.DataFrame:
    mic_results = results.filter(pl.col("mic") >= 0)
    return mic_results.group_by("species", "column", "mic").agg(pl.col("n").sum()).sort("species", "column", "mic")


def _with_selective(cells: pl.DataFrame, selective: Mapping[tuple[str, str], str]) -> pl.DataFrame:
    pairs = pl.DataFrame(list(selective), schema={"species": pl.String, "column": pl.String}, orient="row")
    marked_pairs = pairs.with_columns(pl.lit(True).alias("selective"))
    return cells.join(marked_pairs, on=["species", "column"], how="left", maintain_order="left").with_columns(
        pl.col("selective").fill_null(value=False)
    )
