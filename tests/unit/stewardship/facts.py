"""Rows for tests, answered by a published edition."""

import tempfile
from pathlib import Path

import polars as pl

from sirena.domain.site import Site
from sirena.domain.test_column import parse_test_column
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.editions import load_edition
from sirena.guidelines.interpreter import compile_tables
from sirena.panel.frame import Isolates
from sirena.stewardship.isolate_facts import IsolateFacts
from sirena.whonet.fields import find_field
from sirena.whonet.file import WhonetFile
from sirena.whonet.reading import read_file

_TABLES: dict[tuple[str, str], dict[str, TruthTable]] = {}


def frame_of(rows: list[dict[str, str]]) -> pl.DataFrame:
    """Return rows as a table; a column that a row does not name is empty there."""
    headers = list(dict.fromkeys(["ORGANISM", *(header for row in rows for header in row)]))
    return pl.DataFrame(
        {name: [row.get(name) or None for row in rows] for name in headers}, schema=dict.fromkeys(headers, pl.String)
    )


def read(rows: list[dict[str, str]]) -> WhonetFile:
    """Return rows as the file that holds them is read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        frame_of(rows).write_csv(path)
        return read_file(path)


def answered(rows: list[dict[str, str]], edition: str = "CLSI 2025") -> IsolateFacts:
    """Return the facts of some rows; a column that a row does not name is empty there."""
    frame = frame_of(rows)
    headers = frame.columns
    tests = {header: column for header in headers if (column := parse_test_column(header))}
    tables: dict[str, TruthTable] = {}
    for column in tests.values():
        key = edition, column.name
        if key not in _TABLES:
            compiled = compile_tables(load_edition(edition), [column.drug]) if column.is_mic else {}
            _TABLES[key] = {table.column: table for table in compiled.values() if table.keys}
        tables |= _TABLES[key]
    fields = {header: known.short for header in headers if (known := find_field(header))}
    site = "SPEC_TYPE" if "SPEC_TYPE" in headers else Site.UNKNOWN
    isolates = Isolates(frame, "ORGANISM", tests, {}, site, fields)
    return IsolateFacts.of(isolates, lambda column: tables.get(column.name))
