"""The facts of a file's isolates that counting needs, one row each, without names, patient numbers or birth dates.

Rules, each with a test of like name:

- subspecies and serovars count as their species; a code that names no species counts as itself;
- a row whose organism is missing, unknown or "no growth" is no isolate;
- quality control is recognised by the specimen, another host than a human by ``ORIGIN``;
- rows are in the order of time: date, then specimen number and isolate number (numbers by value, then other texts),
  then position in the file;
- patients of two laboratories are different patients, even with the same number.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

import numpy as np
import polars as pl

from sirena.domain.organisms import ORGANISMS, Rank
from sirena.domain.specimens import SPECIMEN_TERMS, site_of_specimen
from sirena.panel.frame import factorise_column
from sirena.panel.lookup import resolve_texts
from sirena.panel.sites import RowSites
from sirena.stewardship.age_groups import age_groups
from sirena.stewardship.dates import ReadDates, read_dates
from sirena.stewardship.mechanisms import read_mechanism
from sirena.stewardship.patient_key import digest_patients
from sirena.whonet.file import WhonetFile
from sirena.whonet.row_facts import row_facts

_QUALITY_CONTROL: Final = ("qc", "quality control", "control de calidad")
_NOT_HUMAN: Final = ("a", "e", "f", "animal", "food", "environment", "alimento", "ambiente", "medio ambiente")
_HOSPITAL_DAYS: Final = 2
"""If there are more calendar days between admission and specimen, the infection is of hospital origin (GLASS)."""
_UNREAD: Final = "?"
_OTHER: Final = "oth"
"""WHONET's "other organism", which is an isolate; every other code without a kingdom is none (no growth)."""
_SEXES: Final = {
    **dict.fromkeys(("m", "male", "masculino", "hombre", "varon", "varón"), "m"),
    **dict.fromkeys(("f", "female", "femenino", "mujer"), "f"),
    **dict.fromkeys(("o", "other", "otro"), "o"),
}


@dataclass(frozen=True)
class CountableIsolates:
    """The isolates of a file, with the facts that counting needs, in the order of time."""

    frame: pl.DataFrame
    """``row`` (position in the file), ``patient`` (UInt64 digest or null), ``date``, ``organism`` (WHONET code, null
    for none), ``species``, ``specimen``, ``site``, ``ward``, ``ward_type``, ``sex`` (m, f, o), ``age_group``,
    ``origin``, ``excluded`` (why it is no isolate of a patient, or null), ``mrsa`` (Boolean or null). Texts but the
    species are Categorical, of which a row holds a code."""
    laboratories: frozenset[str]
    """Names of the laboratories, in lower case."""
    dated: bool
    """False if no row of the file has a possible date."""
    implausible_dates: int
    undecided_dates: bool
    """True if the dates do not show whether day or month is first, so the day was taken."""
    fields: frozenset[str]
    """WHONET's fields that are not empty, by short name."""
    reasons: pl.Series
    """``SPEC_REAS`` of each row, in the order of `frame`; null if empty."""
    specimens: pl.Series
    """``SPEC_TYPE`` of each row as in the file, in the order of `frame`."""
    values: Mapping[str, frozenset[str]]
    """Distinct texts of ``SPEC_REAS`` and of ``SPEC_TYPE`` in the file, in lower case."""

    @property
    def spelt_frame(self) -> pl.DataFrame:
        """The frame with all Categorical columns cast to String, for writing."""
        return self.frame.with_columns(pl.col(pl.Categorical).cast(pl.String))


@cache
def species_of(code: str) -> str:
    """Return the name of the species that an organism counts as.

    >>> species_of("157")
    'Escherichia coli'
    """
    organism = ORGANISMS[code]
    return next((group for rank, group in organism.lineage if rank is Rank.SPECIES), organism.name)


@dataclass(frozen=True)
class WholeFile:
    """Facts about a whole file, needed when only a part of its rows is read."""

    file: WhonetFile
    """The file, for the roles of its columns."""
    texts: Mapping[str, Sequence[str]]
    """Distinct texts by header, for columns about which decisions are made from all their texts."""


def read_isolates(file: WhonetFile, today: date, *, part_of: WholeFile | None = None) -> CountableIsolates:
    """Return the facts of a file's isolates, or of a part of its rows.

    Args:
        file: the file.
        today: dates after this day are ignored.
        part_of: facts about the whole file, if `file` has only some of its rows; decisions about a column use all rows.

    Raises:
        NoOrganismColumnError: no column names the organism.
    """
    headers = _headers(file if part_of is None else part_of.file)
    height = file.frame.height
    no_texts = pl.Series([None], dtype=pl.String).new_from_index(0, height)

    def cells(short: str) -> pl.Series:
        return file.frame[headers[short]] if short in headers else no_texts

    whole_texts: Mapping[str, Sequence[str]] = part_of.texts if part_of is not None else {}
    texts = {short: whole_texts[header] for short, header in headers.items() if header in whole_texts}
    dates = read_dates(cells("SPEC_DATE"), today, whole_texts=texts.get("SPEC_DATE"))
    laboratory, number = patient_cells(file.frame, file if part_of is None else part_of.file)
    frame = pl.DataFrame(
        {
            "row": pl.Series(np.arange(height, dtype=np.uint32)),
            "patient": digest_patients([laboratory, number]),
            "date": dates.dates,
            "organism": _organisms(file),
            "specimen": _specimens(cells("SPEC_TYPE")),
            "site": _sites(cells("SPEC_TYPE")),
            "ward": _label(cells("WARD")),
            "ward_type": _label(cells("WARD_TYPE")),
            "sex": _sexes(cells("SEX")),
            "age_group": age_groups(
                cells("AGE"), cells("AGE_GRP"), cells("DATE_BIRTH"), dates.dates, today, whole_texts=texts
            ),
            "origin": _origins(read_dates(cells("DATE_ADMIS"), today, whole_texts=texts.get("DATE_ADMIS")), dates),
            "mrsa": read_mechanism(row_facts(file).get("MRSA", no_texts)),
            "reason": cells("SPEC_REAS").str.strip_chars(),
            "specimen_text": cells("SPEC_TYPE").str.strip_chars(),
            "host": cells("ORIGIN").str.strip_chars().str.to_lowercase(),
            **{name: cells(short) for name, short in (("specimen_number", "SPEC_NUM"), ("isolate", "ISOL_NUM"))},
        }
    )
    frame = _in_order_of_time(
        frame.with_columns(_species(frame["organism"])).with_columns(_excluded(dated=dates.has_dates))
    )
    return CountableIsolates(
        frame.drop("reason", "specimen_text", "host", "specimen_number", "isolate").with_columns(
            pl.col(_OF_FEW_TEXTS).cast(pl.Categorical)
        ),
        frozenset(laboratory.str.strip_chars().str.to_lowercase().unique().drop_nulls().to_list()),
        dates.has_dates,
        int(dates.implausible.sum()),
        dates.is_undecided,
        frozenset(headers) | ({"PATIENT_ID"} if number.null_count() < height else frozenset()),
        frame["reason"],
        frame["specimen_text"],
        {
            short: frozenset(text.strip().lower() for text in texts.get(short, cells(short).unique().drop_nulls()))
            for short in ("SPEC_REAS", "SPEC_TYPE")
        },
    )


def patient_cells(frame: pl.DataFrame, file: WhonetFile) -> list[pl.Series]:
    """Return the laboratory column and the patient-number column, which identify a patient; all null if absent.

    Args:
        frame: rows of the file.
        file: the file, for the roles of its columns.
    """
    no_texts = pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
    headers = _headers(file)
    number = headers.get("PATIENT_ID", next(iter(file.patient_headers), None))
    return [
        frame[header].cast(pl.String) if header is not None else no_texts
        for header in (headers.get("LABORATORY"), number)
    ]


def _headers(file: WhonetFile) -> dict[str, str]:
    return {short: header for short in COUNTED_FIELDS if (header := file.header_of(short)) is not None}


COUNTED_FIELDS: Final = (
    *("SPEC_DATE", "PATIENT_ID", "LABORATORY", "SPEC_TYPE", "WARD", "WARD_TYPE", "AGE", "AGE_GRP", "DATE_BIRTH"),
    *("DATE_ADMIS", "SEX", "MRSA", "SPEC_REAS", "ORIGIN", "SPEC_NUM", "ISOL_NUM"),
)
"""WHONET's fields from which facts are read, by short name."""


_OF_FEW_TEXTS: Final = ("organism", "specimen", "site", "ward", "ward_type", "sex", "age_group", "origin", "excluded")
"""Columns of facts with few distinct texts."""


def _organisms(file: WhonetFile) -> pl.Series:
    header = file.require_organism()
    factor = factorise_column(file.frame[header])
    readings = file.readings_of(header, [text for text in factor.texts if text is not None])
    codes = resolve_texts([text if text is None else readings.get(text, text) for text in factor.texts])
    isolates = [code if code and _is_organism(code) else None for code in codes]
    return pl.Series(isolates, dtype=pl.String).gather(pl.Series(factor.rows))


def _is_organism(code: str) -> bool:
    return code == _OTHER or ORGANISMS[code].lineage[-1][1] != "none"


def _species(organisms: pl.Series) -> pl.Series:
    codes = organisms.unique().drop_nulls()
    names = pl.Series([species_of(code) for code in codes], dtype=pl.String)
    return organisms.replace_strict(codes, names, default=None, return_dtype=pl.String).alias("species")


def _sites(specimens: pl.Series) -> pl.Series:
    factor = factorise_column(specimens)
    sites = RowSites.of_specimens(factor.texts, factor.rows)
    return pl.Series([site.value for site in sites.sites]).gather(pl.Series(sites.rows))


def _specimens(specimens: pl.Series) -> pl.Series:
    """Return WHONET's code with its meaning, or the known word; an unknown text is not repeated."""
    meanings = {term.term: term.meaning for term in SPECIMEN_TERMS if term.kind == "code" and term.meaning}

    def label(text: str) -> str | None:
        word = text.strip().lower()
        if not word:
            return None
        if word in meanings:
            return f"{word} · {meanings[word]}"
        return word if site_of_specimen(text) is not None else _UNREAD

    return _replaced(specimens, label)


def _label(texts: pl.Series) -> pl.Series:
    return _replaced(texts, lambda text: text.strip() or None)


def _sexes(texts: pl.Series) -> pl.Series:
    return _replaced(texts, lambda text: _SEXES.get(text.strip().lower()))


def _origins(admissions: ReadDates, dates: ReadDates) -> pl.Series:
    days = (dates.dates - admissions.dates).dt.total_days()
    return pl.select(
        pl.when(days > _HOSPITAL_DAYS).then(pl.lit("hospital")).when(days >= 0).then(pl.lit("community"))
    ).to_series()


def _excluded(*, dated: bool) -> pl.Expr:
    return (
        pl.when(pl.col("organism").is_null())
        .then(pl.lit("no_organism"))
        .when(pl.col("date").is_null() & dated)
        .then(pl.lit("no_date"))
        .when(pl.col("specimen_text").str.to_lowercase().is_in(_QUALITY_CONTROL))
        .then(pl.lit("quality_control"))
        .when(pl.col("host").is_in(_NOT_HUMAN))
        .then(pl.lit("not_human"))
        .alias("excluded")
    )


def _in_order_of_time(frame: pl.DataFrame) -> pl.DataFrame:
    keys = [pl.col("date")]
    for name in ("specimen_number", "isolate"):
        number = pl.col(name).cast(pl.Float64, strict=False)
        keys += [number, pl.when(number.is_null()).then(pl.col(name))]
    return frame.sort(*keys, "row", nulls_last=True)


def _replaced(texts: pl.Series, label: Callable[[str], str | None]) -> pl.Series:
    distinct = texts.unique().drop_nulls()
    labels = pl.Series([label(text) for text in distinct.to_list()], dtype=pl.String)
    return texts.replace_strict(distinct, labels, default=None, return_dtype=pl.String)
