"""The cumulative antibiogram of a file: exclusions, first isolates, counts, cells, and what is to be known of them.

>>> Request().first.mode
<Mode.PATIENT: 'patient'>
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from sirena.stewardship.cautions import UNKNOWN_PATIENTS, Caution, file_cautions
from sirena.stewardship.cells import antibiogram_cells
from sirena.stewardship.combinations import combination_columns, count_combination
from sirena.stewardship.counts import Counts
from sirena.stewardship.exclusions import Loss, exclude
from sirena.stewardship.first_isolates import FirstIsolates, Mode
from sirena.stewardship.isolates import CountableIsolates
from sirena.stewardship.methicillin import with_methicillin_rows
from sirena.stewardship.periods import Period
from sirena.stewardship.results import Results
from sirena.stewardship.selective import selectively_tested
from sirena.stewardship.strata import WHOLE, Stratum
from sirena.stewardship.wisca import wisca


@dataclass(frozen=True)
class Request:
    """What is asked for."""

    first: FirstIsolates = field(default_factory=FirstIsolates)
    period: Period | None = None
    """None counts each calendar year of the file."""
    screening: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Values that tell a screening culture, by field."""
    by: tuple[Stratum, ...] = ()
    """Further antibiograms, one for each part."""
    combinations: tuple[str, ...] = ()
    """Drugs given together, ``TZP+AMK``."""
    wisca: bool = False
    trend: bool = False
    """Count each year by itself too."""


@dataclass(frozen=True)
class Antibiogram:
    """The antibiogram of a file."""

    cells: pl.DataFrame
    """As `antibiogram_cells`, with ``by`` before: ``all`` or a value of `Stratum`."""
    combinations: pl.DataFrame
    """As `count_combination`; empty when none was asked."""
    wisca: pl.DataFrame
    """As `wisca`; empty when it was not asked."""
    trend: pl.DataFrame
    """As `antibiogram_cells`, a stratum a year; empty when it was not asked, or the file holds one year."""
    distribution: pl.DataFrame
    """MICs of the isolates that count: ``species``, ``column``, ``mic`` (`Mic.code`), ``n``."""
    losses: tuple[Loss, ...]
    """From rows read to isolates that count."""
    cautions: tuple[Caution, ...]
    request: Request
    first_day: date | None
    last_day: date | None
    rows: int
    """Rows of the file."""
    isolates: int
    """Isolates that count."""
    source: str
    """By what the categories were given: ``reference · CLSI 2026``, ``release 3 · CLSI 2026``."""
    moved_by_rules: Mapping[str, int] | None
    """By expert rule how many results of the file it moved to R; None when no rule was applied."""

    @property
    def several_guidelines(self) -> bool:
        """True where columns of two guidelines stand beside each other, and need their suffix."""
        return self.cells["guideline"].n_unique() > 1

    @property
    def deduplicated(self) -> bool:
        """False when every isolate was asked for, or too many name no patient."""
        if self.request.first.mode is Mode.ALL:
            return False
        return not any(
            caution.code == "no_patients"
            or (
                caution.code == "unknown_patients"
                and int(caution.figures["rows"]) > UNKNOWN_PATIENTS * int(caution.figures["isolates"])
            )
            for caution in self.cautions
        )


def count_antibiogram(
    facts: CountableIsolates,
    results: Results,
    request: Request,
    *,
    source: str,
    cautions: Sequence[Caution] = (),
    moved_by_rules: Mapping[str, int] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Antibiogram:
    """Count a file.

    Args:
        facts: of the file's isolates.
        results: of the file, interpreted by whatever edition or release.
        request: what is asked for.
        source: names that edition or release.
        cautions: what the caller knows of the file.
        moved_by_rules: by expert rule how many of the results it moved to R; None when no rule was applied.
        progress: called with the name of each part before it is counted.

    Raises:
        UsageError: a value, period or combination that is asked for is not in the file.
    """
    remaining = exclude(facts, request.screening, request.period)
    isolates = remaining.isolates
    told = [*cautions, *file_cautions(facts, isolates, results, remaining.losses, request.first, request.by)]
    chosen = isolates.filter(request.first.choose(isolates, results))
    losses = (*remaining.losses, Loss("repeat", isolates.height - chosen.height, chosen.height))
    named = [combination_columns(text, list(results)) for text in request.combinations]
    columns = [column for group in named for column in group]
    cells, combinations, distribution = [], [], pl.DataFrame()
    for by in (None, *request.by):
        if progress is not None:
            progress(by.value if by else WHOLE)
        counted = with_methicillin_rows(_stratified(isolates, chosen, by, request.first, results), results)
        label = pl.lit(by.value if by else WHOLE).alias("by")
        counts = Counts.of(counted, results)
        cells.append(antibiogram_cells(counts).select(label, pl.all()))
        if by is None:
            distribution = _distribution(counts.results)
        combinations += [count_combination(counted, results, group).select(label, pl.all()) for group in columns]
    selective = selectively_tested(chosen, results)
    told += [
        Caution("selective", {"species": species, "drug": column, "other": other})
        for (species, column), other in selective.items()
    ]
    table = _with_selective(pl.concat(cells), selective)
    groups = table.filter("identifying").select("by", "stratum", "species").n_unique()
    if groups:
        told.append(Caution("identifying", {"groups": groups}))
    regimens = [(column,) for column in results] + columns
    return Antibiogram(
        table,
        pl.concat(combinations) if combinations else pl.DataFrame(),
        wisca(chosen, results, regimens) if request.wisca else pl.DataFrame(),
        _trend(isolates, chosen, request.first, results) if request.trend else table.clear(),
        distribution,
        losses,
        tuple(told),
        request,
        chosen["date"].min(),  # type: ignore[arg-type]
        chosen["date"].max(),  # type: ignore[arg-type]
        facts.frame.height,
        chosen.height,
        source,
        moved_by_rules,
    )


def _stratified(
    isolates: pl.DataFrame, chosen: pl.DataFrame, by: Stratum | None, first: FirstIsolates, results: Results
) -> pl.DataFrame:
    """Return the isolates that count in each stratum, with a column ``stratum``."""
    if by is None:
        return chosen.with_columns(pl.lit(WHOLE).alias("stratum"))
    if not (by.is_place or by.is_time):
        return chosen.with_columns(by.label.alias("stratum"))
    parted = isolates.with_columns(by.label.alias("stratum"))
    if by.is_time:
        parted = parted.with_columns(pl.col("stratum").alias("period"))
    return parted.filter(first.choose(parted, results, place=["stratum"]))


def _trend(isolates: pl.DataFrame, chosen: pl.DataFrame, first: FirstIsolates, results: Results) -> pl.DataFrame:
    """Return the cells of each year; none of a file of one year."""
    by_year = _stratified(isolates, chosen, Stratum.YEAR, first, results)
    several = by_year["stratum"].n_unique() > 1
    return antibiogram_cells(
        Counts.of(with_methicillin_rows(by_year if several else by_year.clear(), results), results)
    )


def _distribution(results: pl.DataFrame) -> pl.DataFrame:
    measured = results.filter(pl.col("mic") >= 0)
    return measured.group_by("species", "column", "mic").agg(pl.col("n").sum()).sort("species", "column", "mic")


def _with_selective(cells: pl.DataFrame, selective: Mapping[tuple[str, str], str]) -> pl.DataFrame:
    pairs = pl.DataFrame(list(selective), schema={"species": pl.String, "column": pl.String}, orient="row")
    marked = pairs.with_columns(pl.lit(True).alias("selective"))
    return cells.join(marked, on=["species", "column"], how="left", maintain_order="left").with_columns(
        pl.col("selective").fill_null(value=False)
    )
