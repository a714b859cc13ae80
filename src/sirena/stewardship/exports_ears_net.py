"""EARS-Net: one line for each isolate from blood or cerebrospinal fluid and antimicrobial, as TESSy's AMRTEST expects.

Rules, each with a test of like name:

- it exports the eight pathogens from blood and cerebrospinal fluid, the first isolate of each patient, pathogen and
  year; on the same day cerebrospinal fluid precedes blood; a row without a patient counts as a separate patient;
- patients and isolates are numbered within the file, so that no number identifies a person;
- categories are EUCAST's, as the network requires: MICs of columns named after another guideline are also interpreted
  by EUCAST;
- oxacillin and cefoxitin of *S. aureus*, for which EUCAST gives a note and no figure, are R or S by the laboratory's
  fields for MRSA or *mecA*, since the network counts MRSA by these drugs;
- an MIC is exported as found, with its comparator in a separate column; a gradient strip has separate columns;
- a test without S, I or R, or with R by a one-sided breakpoint (`one_sided`), is refused with row and reason, as
  isolates are.

Every antimicrobial has a line: the platform ignores pairs that it does not monitor. Zone diameters are not
exported, and categories are the guideline's, before expert rules.

Evidence: the columns as a public converter of such files names them (Epiconcept-Paris/EHR-BSI, made with the ECDC), its
words for hospital units, and the page of the reporting protocol of 2022 on what is reported (pathogens, specimens,
EUCAST alone, first by date and isolate source, further pairs filtered out). POS and NEG, INPAT and OUTPAT and the
precedence of cerebrospinal fluid are from memory of that protocol, which could not be opened whole; no platform has
validated a file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import polars as pl

from sirena.domain.site import Site
from sirena.panel.frame import Isolates
from sirena.panel.lookup import encode_texts
from sirena.stewardship.age_groups import ages_in_years
from sirena.stewardship.condition import FactState
from sirena.stewardship.dates import read_dates
from sirena.stewardship.exclusions import is_screening
from sirena.stewardship.isolate_facts import AnsweredTest, IsolateFacts
from sirena.stewardship.isolates import CountableIsolates
from sirena.stewardship.methicillin import SURROGATES
from sirena.stewardship.surveillance_protocol import UNKNOWN, pathogens_of, patient_names, read_pathogens, refusal
from sirena.whonet.file import WhonetFile

COLUMNS: Final = {
    "RecordId": "number of the isolate and antimicrobial: one line",
    "RecordType": "AMRTEST",
    "Subject": "AMR",
    "DataSource": "name of the data source, as the national coordination gave it",
    "ReportingCountry": "country, two letters; EL is Greece",
    "LaboratoryCode": "code of the laboratory, as the national coordination gave it",
    "DateUsedForStatistics": "date of the specimen",
    "Specimen": "BLOOD, CSF",
    "PatientCounter": "number of the patient in this file alone; it leads to nobody",
    "Gender": "M, F, O, UNK",
    "Age": "completed years at the specimen; UNK",
    "PatientType": "INPAT, OUTPAT, UNK: by ward type, else by the date of admission",
    "HospitalUnitType": "ICU, ED, INTMED, SURG, PEDS, OBGYN by ward type; UNK",
    "DateOfHospitalisation": "date of admission",
    "IsolateId": "number of the isolate in this file alone",
    "Pathogen": "ESCCOL, KLEPNE … as in the protocol",
    "Antibiotic": "code of the antimicrobial, WHONET's",
    "SIR": "category by EUCAST: S, I, R; oxacillin and cefoxitin of STAAUR by the fields MRSA and MECA_PCR",
    "ResultMICSign": "=, <=, <, >, >= before the MIC by dilution",
    "ResultMICValue": "MIC by dilution, mg/L",
    "ResultMICSIR": "its category",
    "ResultGradSign": "=, <=, <, >, >= before the MIC by gradient strip",
    "ResultGradValue": "MIC by gradient strip, mg/L",
    "ResultGradSIR": "its category",
    "ESBL": "POS, NEG, UNK",
    "ResultCarbapenemases": "POS, NEG, UNK",
    "ResultPCRmec": "POS, NEG, UNK",
    "ReferenceGuidelinesSIR": "EUCAST",
}
"""Columns of the file in order, with their meaning."""
_SPECIMEN_OF_SITE: Final = {Site.BLOOD.value: "BLOOD", Site.CEREBROSPINAL_FLUID.value: "CSF"}
_UNIT_OF_WARD_TYPE: Final = {
    "icu": "ICU",
    "eme": "ED",
    "med": "INTMED",
    "sur": "SURG",
    "ped": "PEDS",
    "obg": "OBGYN",
}
_PATIENT_OF_WARD_TYPE: Final = {
    **dict.fromkeys(("in", "icu", "med", "sur", "ped", "obg"), "INPAT"),
    **dict.fromkeys(("out", "eme", "com"), "OUTPAT"),
}
_MECHANISMS: Final = {"ESBL": "ESBL", "CARBAPENEM": "ResultCarbapenemases", "MECA_PCR": "ResultPCRmec"}
_RESULT: Final = r"^\s*(<=|>=|≤|≥|<|>|=)?\s*(\d+(?:[.,]\d+)?)"
_SIGNS: Final = {"≤": "<=", "≥": ">="}
_DECIDED: Final = ("S", "I", "R")
_REPEATED: Final = "not the first of patient and pathogen in the year"
_NO_SPECIMEN: Final = "neither from blood nor from cerebrospinal fluid"
_NO_TEST: Final = "no MIC"


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of the file."""

    country: str
    """Country code of two letters."""
    laboratory: str
    """Laboratory code, assigned by the national coordination."""
    data_source: str = ""
    """Name of the data source, assigned by the national coordination."""


@dataclass(frozen=True)
class EarsNetExport:
    """The lines of the EARS-Net file, and the rows and results that could not be exported."""

    frame: pl.DataFrame
    """Lines with the columns `COLUMNS`, all String; empty cells are null."""
    isolates: int
    """Number of isolates in the file."""
    refused_rows: tuple[tuple[int, str], ...]
    """For each refused row or test, the row's position (0-based) and the reason, in the order of the file."""


def export_ears_net(
    file: WhonetFile,
    isolates: CountableIsolates,
    facts: IsolateFacts,
    sender: Sender,
    year: int,
    today: date,
    *,
    screening: Mapping[str, Sequence[str]] | None = None,
) -> EarsNetExport:
    """Return the EARS-Net lines of one year.

    Args:
        file: the file.
        isolates: the file's isolates, from `read_isolates`.
        facts: the isolates' facts and answers, with every test interpreted by EUCAST (`read_by_eucast`).
        sender: country, laboratory, data source.
        year: year of the specimens.
        today: dates after this day are ignored.
        screening: values that mark a screening culture, by field; such cultures are left out.

    Raises:
        UsageError: no row has such a value.
    """
    rows = isolates.frame["row"]
    frame = isolates.spelt_frame.select(
        "row",
        "patient",
        patient_names(isolates).alias("name"),
        "date",
        "excluded",
        pathogens_of(facts, read_pathogens("exports_ears_net.csv")).gather(rows).alias("PATHOGEN"),
        pl.col("site").replace_strict(_SPECIMEN_OF_SITE, default=None).alias("Specimen"),
        pl.col("date").dt.year().alias("year"),
        is_screening(isolates, screening or {}).alias("screening"),
    ).with_columns(refusal(year, is_specimen=pl.col("Specimen").is_not_null(), no_specimen=_NO_SPECIMEN))
    allowed = frame.filter(pl.col("refusal").is_null())
    first_isolates = _first(allowed)
    repeated_isolates = allowed.join(first_isolates, on="row", how="anti").with_columns(
        pl.lit(_REPEATED).alias("refusal")
    )
    refusals = pl.concat([frame.filter(pl.col("refusal").is_not_null()), repeated_isolates]).select("row", "refusal")
    lines, without = _tests(first_isolates, facts)
    untested_isolates = first_isolates.join(
        pl.concat([lines.select("row"), without.select("row")]), on="row", how="anti"
    )
    refusals = pl.concat([refusals, without, untested_isolates.select("row", pl.lit(_NO_TEST).alias("refusal"))]).sort(
        "row"
    )
    exported_isolates = first_isolates.join(lines, on="row", how="semi").sort("row")
    table = lines.join(_of_isolates(exported_isolates, isolates, file, facts, today), on="row").sort(
        "row", "Antibiotic"
    )
    return EarsNetExport(
        _laid_out(table, sender),
        exported_isolates.height,
        tuple(zip(refusals["row"].to_list(), refusals["refusal"].to_list(), strict=True)),
    )


def read_by_eucast(isolates: Isolates) -> Isolates:
    """Return the isolates with every MIC column assigned to EUCAST, whatever guideline its header names."""
    columns = {header: replace(column, guideline="E") for header, column in isolates.test_columns.items()}
    return replace(isolates, test_columns=columns)


def _first(allowed: pl.DataFrame) -> pl.DataFrame:
    """Return the first isolate of each patient and pathogen; on the same day cerebrospinal fluid precedes blood."""
    ordered = allowed.with_row_index("order").sort("date", pl.col("Specimen") == "BLOOD", "order")
    return ordered.filter(pl.struct("name", "PATHOGEN").is_first_distinct()).select(allowed.columns)


def _tests(first_isolates: pl.DataFrame, facts: IsolateFacts) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the results of some isolates, one line per antimicrobial; and those without a category, as refusals."""
    rows = first_isolates["row"]
    methicillin = _methicillin(facts).gather(rows).set(first_isolates["PATHOGEN"] != "STAAUR", None)
    lines = [pl.DataFrame(schema=_LINE)]
    for drug in sorted({test.column.drug for test in facts.tests}):
        tests = sorted(facts.tests_of([drug]), key=lambda test: test.column.method != "M")
        dilution = _results([test for test in tests if test.column.method == "M"], rows, facts, "ResultMIC")
        strip = _results([test for test in tests if test.column.method == "E"], rows, facts, "ResultGrad")
        by_mechanism = [methicillin] if drug in SURROGATES else []
        of_drug = pl.DataFrame([rows, *dilution, *strip]).with_columns(
            pl.lit(drug).alias("Antibiotic"), pl.coalesce("ResultMICSIR", "ResultGradSIR", *by_mechanism).alias("SIR")
        )
        is_tested = pl.col("ResultMICValue").is_not_null() | pl.col("ResultGradValue").is_not_null()
        lines.append(of_drug.filter(is_tested).select(_LINE.names()))
    all_lines = pl.concat(lines)
    without = all_lines.filter(pl.col("SIR").is_null())
    return all_lines.filter(pl.col("SIR").is_not_null()), without.select(
        "row", pl.format("{}: no category S, I or R", pl.col("Antibiotic")).alias("refusal")
    )


def _methicillin(facts: IsolateFacts) -> pl.Series:
    """Return R or S for each row of the file by its fields for MRSA or *mecA*; null if neither decides."""
    positive, negative = (
        pl.Series(facts.field_shows("MRSA", state) | facts.field_shows("MECA_PCR", state))
        for state in (FactState.POSITIVE, FactState.NEGATIVE)
    )
    return pl.select(pl.when(positive).then(pl.lit("R")).when(negative).then(pl.lit("S"))).to_series()


_LINE: Final = pl.Schema(
    {
        "row": pl.UInt32,
        **dict.fromkeys(("Antibiotic", "SIR"), pl.String),
        **{f"{stem}{part}": pl.String for stem in ("ResultMIC", "ResultGrad") for part in ("Sign", "Value", "SIR")},
    }
)


def _results(tests: Sequence[AnsweredTest], rows: pl.Series, facts: IsolateFacts, stem: str) -> list[pl.Series]:
    """Return comparator, value and category of some rows, from the first of an antimicrobial's tests that was done."""
    no_texts = pl.repeat(None, len(rows), dtype=pl.String, eager=True)
    sign, value, category = no_texts, no_texts, no_texts
    for test in tests:
        signs, values = _signs_and_values(test, rows, facts)
        one_sided = pl.Series(test.one_sided).gather(rows)
        answers = test.category.cast(pl.String).gather(rows)
        is_decided = answers.is_in(_DECIDED) & values.is_not_null() & ~one_sided
        decided_answers = pl.select(pl.when(is_decided).then(answers)).to_series()
        takes = value.is_null() | (category.is_null() & decided_answers.is_not_null())
        sign, value, category = (
            new.zip_with(takes, old) for new, old in ((signs, sign), (values, value), (decided_answers, category))
        )
    return [sign.alias(f"{stem}Sign"), value.alias(f"{stem}Value"), category.alias(f"{stem}SIR")]


def _signs_and_values(test: AnsweredTest, rows: pl.Series, facts: IsolateFacts) -> tuple[pl.Series, pl.Series]:
    cells = facts.isolates.frame[test.header].gather(rows)
    texts = cells.unique().drop_nulls().to_list()
    read_texts = facts.isolates.read_texts(test.header, texts)
    codes = encode_texts(read_texts, test.column.drug).tolist()
    readable = [(text, read_text) for text, read_text, code in zip(texts, read_texts, codes, strict=True) if code >= 0]
    table = pl.DataFrame(readable, schema={"text": pl.String, "read": pl.String}, orient="row").with_columns(
        pl.col("read").str.extract(_RESULT, 1).replace(_SIGNS).fill_null("=").alias("sign"),
        pl.col("read").str.extract(_RESULT, 2).str.replace(",", ".", literal=True).alias("value"),
    )
    spread = pl.DataFrame({"text": cells}).join(table, on="text", how="left", maintain_order="left")
    return spread.select(pl.when(pl.col("value").is_not_null()).then("sign")).to_series(), spread["value"]


def _of_isolates(
    exported_isolates: pl.DataFrame, isolates: CountableIsolates, file: WhonetFile, facts: IsolateFacts, today: date
) -> pl.DataFrame:
    """Return the cells that all lines of an isolate share."""
    no_texts = pl.repeat(None, file.frame.height, dtype=pl.String, eager=True)

    def cells(short: str) -> pl.Series:
        header = file.header_of(short)
        return no_texts if header is None else file.frame[header]

    isolate_facts = isolates.spelt_frame.sort("row")
    ages = ages_in_years(cells("AGE"), cells("DATE_BIRTH"), isolate_facts["date"], today)
    admission_dates = read_dates(cells("DATE_ADMIS"), today).dates
    ward_type = isolate_facts["ward_type"].str.to_lowercase()
    of_file = pl.DataFrame(
        {
            "row": isolate_facts["row"],
            "Gender": isolate_facts["sex"].str.to_uppercase().fill_null(UNKNOWN),
            "Age": ages.cast(pl.String).fill_null(UNKNOWN),
            "DateOfHospitalisation": pl.select(
                pl.when(admission_dates <= isolate_facts["date"]).then(admission_dates.cast(pl.String))
            ).to_series(),
            "HospitalUnitType": ward_type.replace_strict(_UNIT_OF_WARD_TYPE, default=UNKNOWN),
            "PatientType": ward_type.replace_strict(_PATIENT_OF_WARD_TYPE, default=None, return_dtype=pl.String),
            **{name: _mechanism(facts, field) for field, name in _MECHANISMS.items()},
        }
    ).with_columns(
        pl.coalesce(
            "PatientType", pl.when(pl.col("DateOfHospitalisation").is_not_null()).then(pl.lit("INPAT"))
        ).fill_null(UNKNOWN)
    )
    numbered_isolates = exported_isolates.select(
        "row",
        "Specimen",
        pl.col("PATHOGEN").alias("Pathogen"),
        pl.col("date").cast(pl.String).alias("DateUsedForStatistics"),
        _patient_counter().alias("PatientCounter"),
        pl.int_range(1, pl.len() + 1).cast(pl.String).alias("IsolateId"),
    )
    return numbered_isolates.join(of_file, on="row")


def _patient_counter() -> pl.Expr:
    """Return a number for each patient within the file: the rank of its digest, then numbers for unknown patients."""
    known_patient = pl.col("patient").rank("dense").cast(pl.Int64)
    unknown_patient = known_patient.max().fill_null(0) + pl.col("patient").is_null().cum_sum().cast(pl.Int64)
    return known_patient.fill_null(unknown_patient).cast(pl.String)


def _mechanism(facts: IsolateFacts, field: str) -> pl.Series:
    positive, negative = (
        pl.Series(facts.field_shows(field, state)) for state in (FactState.POSITIVE, FactState.NEGATIVE)
    )
    words = pl.when(positive).then(pl.lit("POS")).when(negative).then(pl.lit("NEG")).otherwise(pl.lit(UNKNOWN))
    return pl.select(words).to_series()


def _laid_out(lines: pl.DataFrame, sender: Sender) -> pl.DataFrame:
    fixed = {
        "RecordType": "AMRTEST",
        "Subject": "AMR",
        "DataSource": sender.data_source or None,
        "ReportingCountry": sender.country,
        "LaboratoryCode": sender.laboratory,
        "ReferenceGuidelinesSIR": "EUCAST",
    }
    return lines.select(
        pl.all(),
        pl.format("{}-{}", "IsolateId", "Antibiotic").alias("RecordId"),
        *(pl.lit(value, dtype=pl.String).alias(name) for name, value in fixed.items()),
    ).select(list(COLUMNS))
