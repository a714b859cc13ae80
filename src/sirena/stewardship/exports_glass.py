"""GLASS RIS: counts of R, I and S for the WHO platform, one year per file.

Columns, age groups, pairs of specimen and pathogen, and antimicrobials of each pathogen are those that the platform's
validator accepts (EyeSeeTea/glass-dev); ``exports_glass.csv``, in this module's folder, lists them. Rules, each with a
test of like name:

- the first isolate of patient, specimen, pathogen and year counts; a row without a patient counts as a separate
  patient;
- origin, age and order of time are those of the antibiogram (`sirena.stewardship.isolates`);
- NI of a tested drug counts as UNKNOWN_NO_BREAKPOINTS, and so does R by a one-sided breakpoint (`one_sided`);
- an isolate that was not tested counts as UNKNOWN_NO_AST;
- a row that cannot be exported is refused with row and reason.

The counts are of the guideline's categories, before expert rules, which the platform does not use.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from sirena.domain.category import Category
from sirena.domain.site import Site
from sirena.stewardship.exclusions import is_screening
from sirena.stewardship.isolate_facts import IsolateFacts
from sirena.stewardship.isolates import CountableIsolates
from sirena.stewardship.surveillance_protocol import (
    UNKNOWN,
    Pathogen,
    pathogens_of,
    patient_names,
    read_pathogens,
    refusal,
)

_COUNTS: Final = {
    Category.R.value: "RESISTANT",
    Category.I.value: "INTERMEDIATE",
    Category.SDD.value: "INTERMEDIATE",
    Category.NS.value: "NONSUSCEPTIBLE",
    Category.S.value: "SUSCEPTIBLE",
    Category.NI.value: "UNKNOWN_NO_BREAKPOINTS",
}
_NOT_TESTED: Final = "UNKNOWN_NO_AST"
_STRATUM: Final = ("SPECIMEN", "PATHOGEN", "GENDER", "ORIGIN", "AGEGROUP", "ANTIBIOTIC")
COLUMNS: Final = {
    "COUNTRY": "country, three letters of ISO 3166",
    "YEAR": "year of the specimen",
    "SPECIMEN": "BLOOD, CSF, URINE, STOOL, LOWRESP, UROGENITAL, ANORECTAL, PHARYNGEAL",
    "PATHOGEN": "ESCCOL, KLEPNE … as in the protocol",
    "GENDER": "M, F, O, UNK",
    "ORIGIN": "HO hospital, CO community, UNK",
    "AGEGROUP": "<1, 01<04, 05<14 … 85<, UNK",
    "ANTIBIOTIC": "WHONET code",
    "RESISTANT": "first isolates with R",
    "INTERMEDIATE": "first isolates with I or SDD",
    "NONSUSCEPTIBLE": "first isolates with NS",
    "SUSCEPTIBLE": "first isolates with S",
    "UNKNOWN_NO_AST": "first isolates that were not tested",
    "UNKNOWN_NO_BREAKPOINTS": "first isolates that were tested and have no category",
    "BATCHID": "name of the data set",
}
"""Columns of the file in order, with their meaning."""
_AGES: Final = {
    "<1": "<1",
    "1-4": "01<04",
    "5-14": "05<14",
    "15-24": "15<24",
    "25-34": "25<34",
    "35-44": "35<44",
    "45-54": "45<54",
    "55-64": "55<64",
    "65-74": "65<74",
    "75-84": "75<84",
    "85+": "85<",
}
"""The protocol's name of each of our age groups."""
_ORIGINS: Final = {"hospital": "HO", "community": "CO"}
_SPECIMEN_OF_SITE: Final = {
    Site.BLOOD.value: "BLOOD",
    Site.CEREBROSPINAL_FLUID.value: "CSF",
    Site.URINE.value: "URINE",
    Site.STOOL.value: "STOOL",
    Site.RESPIRATORY.value: "LOWRESP",
}
_SPECIMEN_OF_CODE: Final = {
    **dict.fromkeys(("cx", "gf", "gm", "gn", "ue", "va"), "UROGENITAL"),
    "re": "ANORECTAL",
    "th": "PHARYNGEAL",
}


@dataclass(frozen=True)
class GlassExport:
    """The counts of the GLASS file, and the rows that could not be exported."""

    frame: pl.DataFrame
    """Rows with the columns `COLUMNS`; counts are Int64, all others String."""
    refused_rows: tuple[tuple[int, str], ...]
    """For each refused row, its position (0-based) and the reason, in the order of the file."""


def _pathogens() -> tuple[Pathogen, ...]:
    return read_pathogens("exports_glass.csv")


def export_glass(
    isolates: CountableIsolates,
    facts: IsolateFacts,
    country: str,
    year: int,
    *,
    batch: str = "DS1",
    screening: Mapping[str, Sequence[str]] | None = None,
) -> GlassExport:
    """Count one year's first isolates by specimen, pathogen, gender, origin, age group and antimicrobial.

    Args:
        isolates: isolates of a file, from `read_isolates`.
        facts: the facts and answers of the same file.
        country: country code, three letters of ISO 3166.
        year: year of the specimens.
        batch: name of the data set.
        screening: values that mark a screening culture, by field; the protocol excludes such cultures.

    Raises:
        UsageError: no row has such a value.
    """
    rows = isolates.frame["row"]
    frame = isolates.spelt_frame.select(
        "row",
        patient_names(isolates),
        pathogens_of(facts, _pathogens()).gather(rows).alias("PATHOGEN"),
        _specimens(isolates).alias("SPECIMEN"),
        pl.col("sex").str.to_uppercase().fill_null(UNKNOWN).alias("GENDER"),
        pl.col("origin").replace_strict(_ORIGINS, default=UNKNOWN).alias("ORIGIN"),
        pl.col("age_group").replace_strict(_AGES, default=UNKNOWN).alias("AGEGROUP"),
        "excluded",
        pl.col("date").dt.year().alias("year"),
        is_screening(isolates, screening or {}).alias("screening"),
    )
    frame = frame.with_columns(
        refusal(year, is_specimen=_is_specimen(), no_specimen="no specimen of the protocol for this pathogen")
    )
    key = ["patient", "SPECIMEN", "PATHOGEN"]
    allowed = frame.filter(pl.col("refusal").is_null())
    counted_isolates = allowed.filter(pl.struct(key).is_first_distinct())
    repeated_isolates = allowed.join(counted_isolates, on="row", how="anti").with_columns(
        pl.lit(_REPEATED).alias("refusal")
    )
    refusals = pl.concat([frame.filter(pl.col("refusal").is_not_null()), repeated_isolates]).sort("row")
    return GlassExport(
        _counts(counted_isolates, facts, country, year, batch),
        tuple(zip(refusals["row"].to_list(), refusals["refusal"].to_list(), strict=True)),
    )


_REPEATED: Final = "not the first of patient, specimen and pathogen in the year"


def _specimens(isolates: CountableIsolates) -> pl.Series:
    """Return the protocol's specimen of each row; null for specimens that it does not include.

    The code of a swab comes before its site, since the protocol separates rectal swabs from stool.
    """
    by_code = isolates.specimens.str.to_lowercase().replace_strict(_SPECIMEN_OF_CODE, default=None)
    by_site = isolates.frame["site"].cast(pl.String).replace_strict(_SPECIMEN_OF_SITE, default=None)
    return by_code.zip_with(by_code.is_not_null(), by_site)


def _is_specimen() -> pl.Expr:
    """Return an expression for the rows whose specimen the protocol includes for their pathogen."""
    pairs = [f"{pathogen.code} {specimen}" for pathogen in _pathogens() for specimen in pathogen.specimens]
    return pl.concat_str("PATHOGEN", "SPECIMEN", separator=" ").is_in(pairs)


def _counts(counted_isolates: pl.DataFrame, facts: IsolateFacts, country: str, year: int, batch: str) -> pl.DataFrame:
    """Return the rows of the file: one for each stratum of the counted isolates."""
    outcomes = [name for name in COLUMNS if name in {*_COUNTS.values(), _NOT_TESTED}]
    drugs_of = {pathogen.code: pathogen.drugs for pathogen in _pathogens()}
    parts = []
    for drug in dict.fromkeys(test.column.drug for test in facts.tests):
        of_drug = counted_isolates.filter(
            pl.col("PATHOGEN").is_in([code for code, drugs in drugs_of.items() if drug in drugs])
        )
        part = of_drug.with_columns(pl.lit(drug).alias("ANTIBIOTIC"), _outcome(facts, drug).gather(of_drug["row"]))
        parts.append(part.select(*_STRATUM, "outcome"))
    if not parts:
        return pl.DataFrame(schema={name: pl.Int64 if name in outcomes else pl.String for name in COLUMNS})
    return (
        pl.concat(parts)
        .group_by(_STRATUM)
        .agg((pl.col("outcome") == name).sum().cast(pl.Int64).alias(name) for name in outcomes)
        .with_columns(pl.lit(country).alias("COUNTRY"), pl.lit(str(year)).alias("YEAR"), pl.lit(batch).alias("BATCHID"))
        .sort(_STRATUM)
        .select(list(COLUMNS))
    )


def _outcome(facts: IsolateFacts, drug: str) -> pl.Series:
    """Return the column in which each row counts for an antimicrobial; a category takes precedence over NI."""
    outcome = pl.repeat(None, facts.rows, dtype=pl.String, eager=True)
    for is_decided in (True, False):
        for test in facts.tests_of([drug]):
            categories = test.category.cast(pl.String).set(
                pl.Series(test.one_sided & test.is_tested), Category.NI.value
            )
            count_columns = categories.replace_strict(_COUNTS, default=None)
            usable = count_columns.is_not_null() & ((categories != Category.NI.value) if is_decided else True)
            outcome = outcome.zip_with(outcome.is_not_null() | ~usable.fill_null(value=False), count_columns)
    return outcome.fill_null(_NOT_TESTED).alias("outcome")
