"""A file for WHONET: its own column names and organism codes, ISO dates, and no patient's identity.

Rules, each with a test of like name:

- patients get new numbers, so that repeated isolates can be recognised; names, numbers, birth dates and specimen
  numbers are left out;
- a row without an organism is refused; MICs and zones are exported unchanged, in WHONET's columns;
- of two columns for the same test the first is exported, and the other is reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from sirena.stewardship.dates import read_dates
from sirena.stewardship.isolates import read_isolates
from sirena.whonet.file import WhonetFile
from sirena.whonet.row_facts import row_facts

_REFUSED: Final = "no organism, an unknown one, or no growth"
_AS_FOUND: Final = {
    "LABORATORY": "laboratory",
    "ORIGIN": "host, h for a human",
    "AGE": "age of the patient",
    "WARD": "ward",
    "WARD_TYPE": "ward type",
    "SPEC_TYPE": "specimen",
    "SPEC_REAS": "why the specimen was taken",
}
_MEANINGS: Final = {
    "PATIENT_ID": "number of the patient in this file alone; it leads to nobody",
    "SEX": "m, f, o",
    "AGE_GRP": "age group",
    "SPEC_DATE": "date of the specimen",
    "DATE_ADMIS": "date of admission",
    "ORGANISM": "WHONET's code of the organism",
    **_AS_FOUND,
}


@dataclass(frozen=True)
class WhonetExport:
    """The rows of the WHONET file, and the rows that could not be exported."""

    frame: pl.DataFrame
    """The rows, all columns String, in the order of the file."""
    refused_rows: tuple[tuple[int, str], ...]
    """For each refused row, its position (0-based) and the reason."""
    columns_left_out: tuple[str, ...]
    """Headers of columns that repeat a test."""
    meanings: Mapping[str, str]
    """Meaning of each column of the file."""


def export_whonet(file: WhonetFile, today: date) -> WhonetExport:
    """Return a file's isolates in the form of a WHONET file.

    Args:
        file: the file.
        today: dates after this day are ignored.

    Raises:
        NoOrganismColumnError: no column names the organism.
    """
    isolate_facts = read_isolates(file, today).frame.sort("row")
    no_texts = pl.repeat(None, file.frame.height, dtype=pl.String, eager=True)

    def cells(short: str) -> pl.Series:
        header = file.header_of(short)
        return no_texts if header is None else file.frame[header].str.strip_chars()

    number = isolate_facts["patient"].rank("dense").cast(pl.String)
    columns = {
        "PATIENT_ID": number,
        "SEX": isolate_facts["sex"],
        "AGE_GRP": isolate_facts["age_group"],
        "SPEC_DATE": isolate_facts["date"].cast(pl.String),
        "DATE_ADMIS": read_dates(cells("DATE_ADMIS"), today).dates.cast(pl.String),
        "ORGANISM": isolate_facts["organism"],
        **{name: cells(name) for name in _AS_FOUND},
        **row_facts(file),
    }
    columns = {name: column for name, column in columns.items() if column.null_count() < len(column)}
    meanings = {name: _MEANINGS.get(name, "mechanism of resistance, + or -") for name in columns}
    left_out = []
    for header, test in file.test_columns.items():
        if test.name in columns:
            left_out.append(header)
        else:
            columns[test.name] = file.frame[header]
            meanings[test.name] = f"{test.drug}: MIC in mg/L" if test.is_mic else f"{test.drug}: zone diameter in mm"
    frame = pl.DataFrame([column.alias(name) for name, column in columns.items()])
    refused_rows = isolate_facts.filter(pl.col("organism").is_null())["row"].to_list()
    return WhonetExport(
        frame.filter(isolate_facts["organism"].is_not_null()),
        tuple((row, _REFUSED) for row in refused_rows),
        tuple(left_out),
        meanings,
    )
