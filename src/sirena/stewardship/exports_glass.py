"""GLASS RIS: counts of R, I and S for the WHO platform, one year a file.

Columns, ages, pairs of specimen and pathogen and antimicrobials of each pathogen are those that the platform's own
validator accepts (EyeSeeTea/glass-dev); ``exports_glass.csv`` beside this module holds them. Rules, each with a test of
like name:

- the first isolate of patient, specimen, pathogen and year counts; a row without a patient is a patient of its own;
- hospital origin is more than two calendar days after admission; without an admission it is unknown;
- NI of a tested drug is UNKNOWN_NO_BREAKPOINTS, an isolate that was not tested UNKNOWN_NO_AST;
- what cannot be exported is refused by row and reason, and never dropped in silence.

The counts are those of the guideline's categories, before expert rules, which the platform does not know.
"""

import csv
import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from sirena.domain.category import Category
from sirena.domain.organisms import Rank
from sirena.domain.site import Site
from sirena.guidelines.tables import parse_rank
from sirena.panel.sites import read_specimen
from sirena.stewardship.isolate_facts import IsolateFacts
from sirena.stewardship.multidrug import Groups, parse_groups
from sirena.whonet.headers import assign_roles

_COUNTS: Final = {
    Category.R: "RESISTANT",
    Category.I: "INTERMEDIATE",
    Category.SDD: "INTERMEDIATE",
    Category.NS: "NONSUSCEPTIBLE",
    Category.S: "SUSCEPTIBLE",
    Category.NI: "UNKNOWN_NO_BREAKPOINTS",
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
"""Columns of the file in order, and what they mean."""
_AGES: Final = (
    *((1, "<1"), (5, "01<04"), (15, "05<14"), (25, "15<24"), (35, "25<34"), (45, "35<44"), (55, "45<54")),
    *((65, "55<64"), (75, "65<74"), (85, "75<84"), (200, "85<")),
)
_SPECIMEN_OF_SITE: Final = {
    Site.BLOOD: "BLOOD",
    Site.CEREBROSPINAL_FLUID: "CSF",
    Site.URINE: "URINE",
    Site.STOOL: "STOOL",
    Site.RESPIRATORY: "LOWRESP",
}
_SPECIMEN_OF_CODE: Final = {
    **dict.fromkeys(("cx", "gf", "gm", "gn", "ue", "va"), "UROGENITAL"),
    "re": "ANORECTAL",
    "th": "PHARYNGEAL",
}
_GENDERS: Final = {"m": "M", "male": "M", "f": "F", "female": "F", "o": "O"}
_HOSPITAL_DAYS: Final = 2


@dataclass(frozen=True, slots=True)
class _Pathogen:
    """One pathogen of the protocol."""

    code: str
    rank: Rank
    group: str
    exceptions: Groups
    specimens: tuple[str, ...]
    drugs: tuple[str, ...]


@dataclass(frozen=True)
class GlassExport:
    """The file, and what could not be part of it."""

    frame: pl.DataFrame
    """Of the columns `COLUMNS`; counts are Int64, all else String."""
    refused: tuple[tuple[int, str], ...]
    """Position of a row (0-based) and why it is not counted, in the order of the file."""


@cache
def _pathogens() -> tuple[_Pathogen, ...]:
    with Path(__file__).with_name("exports_glass.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(
            _Pathogen(
                row["pathogen"],
                parse_rank(row["rank"]),
                row["group"],
                parse_groups(row["except"]),
                tuple(row["specimens"].split()),
                tuple(row["drugs"].split()),
            )
            for row in csv.DictReader(stream)
        )


def export_glass(
    facts: IsolateFacts, country: str, year: int, *, batch: str = "DS1", surveillance: Sequence[str] = ()
) -> GlassExport:
    """Count the first isolates of one year by specimen, pathogen, gender, origin, age group and antimicrobial.

    Args:
        facts: the rows and their answers.
        country: three letters of ISO 3166.
        year: of the specimens.
        batch: name of the data set.
        surveillance: values of ``SPEC_REAS`` or ``SPEC_TYPE`` that are screening, which the protocol leaves out.
    """
    rows = _Rows(facts)
    refused: dict[int, str] = {}
    first: dict[tuple[str, str, str], tuple[datetime.date, int]] = {}
    pathogen_of, drugs_of = rows.pathogens()
    screening = {value.strip().casefold() for value in surveillance}
    for row in range(facts.rows):
        reason = rows.refusal(row, year, screening, pathogen_of[row])
        date = rows.dates[row]
        if reason or date is None:
            refused[row] = reason
            continue
        key = rows.patient[row] or f"row {row}", rows.specimen(row, pathogen_of[row]), pathogen_of[row]
        known = first.get(key)
        if known is not None and known[0] <= date:
            refused[row] = "not the first of patient, specimen and pathogen in the year"
            continue
        if known is not None:
            refused[known[1]] = "not the first of patient, specimen and pathogen in the year"
        first[key] = date, row
    counts: dict[tuple[str, ...], dict[str, int]] = {}
    for (_, specimen, pathogen), (_, row) in first.items():
        for drug in drugs_of[pathogen]:
            stratum = specimen, pathogen, rows.gender(row), rows.origin(row), rows.age_group(row), drug
            counted = counts.setdefault(stratum, {})
            column = rows.outcome(row, drug)
            counted[column] = counted.get(column, 0) + 1
    names = [name for name in COLUMNS if name.isupper() and name in {*_COUNTS.values(), _NOT_TESTED}]
    records = [
        dict(zip(_STRATUM, stratum, strict=True))
        | {name: counted.get(name, 0) for name in names}
        | {"COUNTRY": country, "YEAR": str(year), "BATCHID": batch}
        for stratum, counted in sorted(counts.items())
    ]
    schema = {name: pl.Int64 if name in names else pl.String for name in COLUMNS}
    return GlassExport(pl.DataFrame(records, schema=schema), tuple(sorted(refused.items())))


class _Rows:
    """The fields of each row that the export needs, read once."""

    def __init__(self, facts: IsolateFacts) -> None:
        self._facts = facts
        self._roles = assign_roles(facts.isolates.frame.columns)
        self.patient = self._texts("PATIENT_ID")
        self.dates = [_date(text) for text in self._texts("SPEC_DATE")]
        self._written = self._texts("SPEC_DATE")
        self._admitted = [_date(text) for text in self._texts("DATE_ADMIS")]
        self._born = [_date(text) for text in self._texts("DATE_BIRTH")]
        self._ages, self._sexes = self._texts("AGE"), self._texts("SEX")
        self._types, self._reasons = self._texts("SPEC_TYPE"), self._texts("SPEC_REAS")
        self._site_of = {text: read_specimen(text) for text in set(self._types)}
        self._categories = [(test.column.drug, test.category.to_list()) for test in facts.tests]

    def _texts(self, field: str) -> list[str]:
        headers = self._roles.headers_of(field)
        if not headers:
            return [""] * self._facts.rows
        return [(text or "").strip() for text in self._facts.isolates.frame[headers[0]].to_list()]

    def pathogens(self) -> tuple[list[str], dict[str, list[str]]]:
        """Return the pathogen of each row, empty for others, and the tested antimicrobials of each pathogen."""
        here = [""] * self._facts.rows
        tested = {drug for drug, _ in self._categories}
        for pathogen in _pathogens():
            members = self._facts.members(pathogen.rank, pathogen.group, pathogen.exceptions)
            for row in np.flatnonzero(members).tolist():
                here[row] = pathogen.code
        return here, {one.code: [drug for drug in one.drugs if drug in tested] for one in _pathogens()}

    def refusal(self, row: int, year: int, screening: set[str], pathogen: str) -> str:
        """Return why a row is not exported; empty when it is."""
        date = self.dates[row]
        if not pathogen:
            return "no pathogen of the protocol"
        if date is None:
            return "the specimen date cannot be read" if self._written[row] else "no specimen date"
        if date.year != year:
            return "another year"
        if screening & {self._reasons[row].casefold(), self._types[row].casefold()}:
            return "taken to screen"
        if not self.specimen(row, pathogen):
            return "no specimen of the protocol for this pathogen"
        return ""

    def specimen(self, row: int, pathogen: str) -> str:
        """Return the protocol's specimen, empty where the pair with the pathogen is not in the protocol."""
        allowed = next(one.specimens for one in _pathogens() if one.code == pathogen)
        site = self._site_of[self._types[row]]
        names = _SPECIMEN_OF_CODE.get(self._types[row].casefold(), ""), _SPECIMEN_OF_SITE.get(site or Site.UNKNOWN, "")
        # the swab's own name comes first: rectal swabs are read as stool elsewhere, and the protocol tells them apart
        name = names[0] or names[1]
        return name if name in allowed else ""

    def gender(self, row: int) -> str:
        """Return M, F, O or UNK."""
        return _GENDERS.get(self._sexes[row].casefold(), "UNK")

    def origin(self, row: int) -> str:
        """Return HO, CO or UNK."""
        taken, admitted = self.dates[row], self._admitted[row]
        if taken is None or admitted is None or taken < admitted:
            return "UNK"
        return "HO" if (taken - admitted).days > _HOSPITAL_DAYS else "CO"

    def age_group(self, row: int) -> str:
        """Return the protocol's age group, by the age, else by birth and specimen."""
        text, taken, born = self._ages[row], self.dates[row], self._born[row]
        if text.isdigit():
            years = int(text)
        elif text[:-1].isdigit() and text[-1:].lower() in ("m", "d", "w") and int(text[:-1]) < 12:
            years = 0
        elif taken is not None and born is not None and taken >= born:
            years = taken.year - born.year - ((taken.month, taken.day) < (born.month, born.day))
        else:
            return "UNK"
        return next((name for bound, name in _AGES if years < bound), "UNK")

    def outcome(self, row: int, drug: str) -> str:
        """Return the column in which a row counts for an antimicrobial."""
        answers = [categories[row] for tested, categories in self._categories if tested == drug]
        given = [answer for answer in answers if answer is not None]
        decided = [answer for answer in given if answer != Category.NI]
        if not given:
            return _NOT_TESTED
        return _COUNTS.get(Category((decided or given)[0]), "UNKNOWN_NO_BREAKPOINTS")


def _date(text: str) -> datetime.date | None:
    for pattern in ("%Y-%m-%d", "%d/%m/%Y"):
        for part in _heads(text):
            try:
                return datetime.datetime.strptime(part, pattern).replace(tzinfo=datetime.UTC).date()
            except ValueError:
                continue
    return None


def _heads(text: str) -> Iterator[str]:
    """Yield a date without the time that may stand behind it."""
    if text:
        yield text.split()[0].partition("T")[0]
