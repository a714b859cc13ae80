"""Cautions: what a reader must know about a file before relying on its antibiogram, as sentences."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

import polars as pl

from sirena.domain.language import Language
from sirena.domain.test_column import GUIDELINES
from sirena.stewardship.exclusions import Loss
from sirena.stewardship.first_isolates import FirstIsolates, Mode
from sirena.stewardship.isolates import CountableIsolates
from sirena.stewardship.results import IS_ONE_SIDED, DrugResults, Results
from sirena.stewardship.strata import Stratum
from sirena.stewardship.texts import text

UNKNOWN_PATIENTS: Final = 0.05
"""Share of isolates without a patient above which the antibiogram is called not de-duplicated (our own figure)."""


@dataclass(frozen=True)
class Caution:
    """One caution for the reader, with its figures."""

    code: str
    """Stable name of the caution, a key of ``cautions`` in ``texts.toml``."""
    figures: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def english(self) -> str:
        """The caution as an English sentence."""
        return text("cautions", self.code, Language.ENGLISH).format(**self.figures)

    @property
    def spanish(self) -> str:
        """The caution as a Spanish sentence."""
        return text("cautions", self.code, Language.SPANISH).format(**self.figures)


@dataclass(frozen=True)
class FileNotes:
    """Facts of a file that cautions depend on. Notes of parts of a file can be added."""

    dated: bool
    undecided_dates: bool
    implausible_dates: int
    isolates: int
    """Number of isolates left before first isolates are chosen."""
    without_patient: int
    """Number of these isolates without a patient."""
    laboratories: frozenset[str]
    fields: frozenset[str]
    """WHONET's fields that are not empty."""
    guidelines: frozenset[str]
    """Names of the guidelines by which some isolate was tested."""
    one_sided: frozenset[str]
    """Columns tested by a breakpoint that gives R above it and no category below."""
    years: frozenset[int]

    @classmethod
    def of(cls, facts: CountableIsolates, isolates: pl.DataFrame, results: Results) -> Self:
        """Create the notes from the facts of a file's isolates and their results.

        Args:
            facts: facts of its isolates.
            isolates: isolates left before first isolates are chosen.
            results: results of the file's rows.
        """
        return cls(
            facts.dated,
            facts.undecided_dates,
            facts.implausible_dates,
            isolates.height,
            isolates["patient"].null_count(),
            facts.laboratories,
            facts.fields,
            frozenset(GUIDELINES[drug.column.guideline] for drug in results.values() if drug.is_tested.any()),
            frozenset(name for name, drug in results.items() if _is_one_sided(drug, isolates)),
            frozenset(isolates["date"].dt.year().drop_nulls().unique().to_list()),
        )

    @classmethod
    def added(cls, parts: Iterable["FileNotes"]) -> Self:
        """Add up the notes of the parts of a file."""
        notes = list(parts)
        return cls(
            any(part.dated for part in notes),
            any(part.undecided_dates for part in notes),
            sum(part.implausible_dates for part in notes),
            sum(part.isolates for part in notes),
            sum(part.without_patient for part in notes),
            frozenset().union(*(part.laboratories for part in notes)),
            frozenset().union(*(part.fields for part in notes)),
            frozenset().union(*(part.guidelines for part in notes)),
            frozenset().union(*(part.one_sided for part in notes)),
            frozenset().union(*(part.years for part in notes)),
        )


def file_cautions(
    notes: FileNotes, columns: Iterable[str], losses: Sequence[Loss], first: FirstIsolates, by: Sequence[Stratum]
) -> Iterator[Caution]:
    """Yield the cautions about a file.

    Args:
        notes: notes of the file.
        columns: the file's model columns, in order.
        losses: losses at the steps of exclusion before first isolates are chosen.
        first: the rule of first isolates.
        by: strata of the request.
    """
    if not notes.dated:
        yield Caution("no_dates")
    elif notes.implausible_dates:
        yield Caution("implausible_dates", {"rows": notes.implausible_dates})
    if notes.undecided_dates:
        yield Caution("undecided_dates")
    unknown = notes.without_patient
    if first.mode is not Mode.ALL and unknown:
        everyone = unknown == notes.isolates
        yield (
            Caution("no_patients")
            if everyone
            else Caution("unknown_patients", {"rows": unknown, "isolates": notes.isolates})
        )
    if len(notes.laboratories) > 1:
        yield Caution("several_laboratories", {"laboratories": len(notes.laboratories)})
    has_screening = any(loss.removed_rows for loss in losses if loss.step == "screening")
    if not has_screening:
        yield Caution("screening_kept" if "SPEC_REAS" in notes.fields else "no_reason")
    if len(notes.guidelines) > 1:
        yield Caution("several_guidelines", {"guidelines": ", ".join(sorted(notes.guidelines))})
    if notes.one_sided:
        yield Caution("one_sided", {"drugs": ", ".join(name for name in columns if name in notes.one_sided)})
    if Stratum.ORIGIN in by and "DATE_ADMIS" not in notes.fields:
        yield Caution("no_admission")
    if len(notes.years) > 1 or any(stratum.is_time for stratum in by):
        yield Caution("one_edition")


def _is_one_sided(drug: DrugResults, isolates: pl.DataFrame) -> bool:
    """Tell whether some isolate was tested for a drug whose breakpoint gives R above it and no category below."""
    if not (drug.standings >= IS_ONE_SIDED).any():  # the highest bit
        return False
    one_sided = ((drug.standings & IS_ONE_SIDED) > 0) & drug.is_tested
    return bool(one_sided.any() and one_sided[isolates["row"].to_numpy()].any())
