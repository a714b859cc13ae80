"""What a reader must know of the file before believing its antibiogram, one sentence each, in English and Spanish."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from sirena.domain.test_column import GUIDELINES
from sirena.panel.basis import Language
from sirena.stewardship.exclusions import Loss
from sirena.stewardship.first_isolates import FirstIsolates, Mode
from sirena.stewardship.isolates import CountableIsolates
from sirena.stewardship.results import IS_ONE_SIDED, DrugResults, Results
from sirena.stewardship.strata import Stratum
from sirena.stewardship.texts import text

UNKNOWN_PATIENTS: Final = 0.05
"""Above this share of isolates without a patient the antibiogram is called not de-duplicated (our figure)."""


@dataclass(frozen=True)
class Caution:
    """One thing to know."""

    code: str
    """Stable name, a key of ``cautions`` in ``texts.toml``."""
    figures: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def english(self) -> str:
        """The sentence in English."""
        return text("cautions", self.code, Language.ENGLISH).format(**self.figures)

    @property
    def spanish(self) -> str:
        """The sentence in Spanish."""
        return text("cautions", self.code, Language.SPANISH).format(**self.figures)


def file_cautions(
    facts: CountableIsolates,
    isolates: pl.DataFrame,
    results: Results,
    losses: Sequence[Loss],
    first: FirstIsolates,
    by: Sequence[Stratum],
) -> Iterator[Caution]:
    """Yield what is to be known of a file.

    Args:
        facts: of the file.
        isolates: those left before first isolates were chosen.
        results: of the file.
        losses: of the steps so far.
        first: the rule of first isolates.
        by: strata asked for.
    """
    if not facts.dated:
        yield Caution("no_dates")
    elif facts.implausible_dates:
        yield Caution("implausible_dates", {"rows": facts.implausible_dates})
    if facts.undecided_dates:
        yield Caution("undecided_dates")
    unknown = isolates["patient"].null_count()
    if first.mode is not Mode.ALL and unknown:
        everyone = unknown == isolates.height
        yield (
            Caution("no_patients")
            if everyone
            else Caution("unknown_patients", {"rows": unknown, "isolates": isolates.height})
        )
    if facts.laboratories > 1:
        yield Caution("several_laboratories", {"laboratories": facts.laboratories})
    screened = any(loss.lost for loss in losses if loss.step == "screening")
    if not screened:
        yield Caution("screening_kept" if "SPEC_REAS" in facts.fields else "no_reason")
    guidelines = sorted({GUIDELINES[drug.column.guideline] for drug in results.values() if drug.tested.any()})
    if len(guidelines) > 1:
        yield Caution("several_guidelines", {"guidelines": ", ".join(guidelines)})
    one_sided = [name for name, drug in results.items() if _is_one_sided(drug, isolates)]
    if one_sided:
        yield Caution("one_sided", {"drugs": ", ".join(one_sided)})
    if Stratum.ORIGIN in by and "DATE_ADMIS" not in facts.fields:
        yield Caution("no_admission")
    if isolates["date"].dt.year().drop_nulls().n_unique() > 1 or any(stratum.is_time for stratum in by):
        yield Caution("one_edition")


def _is_one_sided(drug: DrugResults, isolates: pl.DataFrame) -> bool:
    """Return whether some isolate was tested for a drug whose breakpoint tells R alone."""
    if not (drug.standings >= IS_ONE_SIDED).any():  # the highest bit
        return False
    one_sided = ((drug.standings & IS_ONE_SIDED) > 0) & drug.tested
    return bool(one_sided.any() and one_sided[isolates["row"].to_numpy()].any())
