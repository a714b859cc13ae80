"""Small files and their antibiograms, counted by the guideline of a fixed edition."""

from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sirena.domain.truth_table import TruthTable
from sirena.guidelines.choice import ChosenEditions, choose_editions
from sirena.guidelines.editions import Editions
from sirena.panel.frame import Isolates
from sirena.stewardship.antibiogram import Antibiogram, Request
from sirena.stewardship.counting import CountedFile, FileToCount, count_file
from sirena.stewardship.expert_rules import ExpertRule, load_expert_rules
from sirena.stewardship.isolates import CountableIsolates, read_isolates
from sirena.stewardship.results import Results, interpret_results
from sirena.whonet.file import WhonetFile
from sirena.whonet.reading import read_file

TODAY = date(2026, 11, 1)
EXAMPLES = Path(__file__).resolve().parents[4] / "shared" / "data" / "antibiogram"
needs_examples = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="../shared/data/antibiogram is missing")


@cache
def editions(name: str) -> ChosenEditions:
    """Return an edition, and the newest of the other guideline."""
    return choose_editions(Editions(), [name])


@cache
def tables_of(edition: str, columns: frozenset[str]) -> dict[str, TruthTable]:
    """Return the tables of some test columns by these editions, compiled once."""
    return editions(edition).tables(sorted(columns))


def interpreted(file: WhonetFile, edition: str = "CLSI 2025") -> tuple[CountableIsolates, Results]:
    """Return facts and results of a file by an edition, and the newest of the other guideline."""
    tables = tables_of(edition, frozenset(column.model_column for column in file.mic_columns.values()))
    results = interpret_results(Isolates.of_file(file), lambda column: tables.get(column.model_column))
    return read_isolates(file, TODAY), results


def counted(file: WhonetFile, request: Request | None = None, edition: str = "CLSI 2025") -> Antibiogram:
    """Count a file by an edition and Sirena's expert rules."""
    return counted_file(file, request, edition).antibiogram


def counted_file(
    file: WhonetFile | FileToCount,
    request: Request | None = None,
    edition: str = "CLSI 2025",
    rules: Sequence[ExpertRule] | None = load_expert_rules(),
) -> CountedFile:
    """Count a file, and what a report shows beside its antibiogram."""
    to_count = file if isinstance(file, FileToCount) else FileToCount.of_whole_file(file, read_isolates(file, TODAY))
    tables = tables_of(edition, frozenset(column.model_column for column in to_count.file.mic_columns.values()))
    return count_file(
        to_count,
        lambda column: tables.get(column.model_column),
        request or Request(),
        source=f"reference · {edition}",
        rules=rules,
    )


def hospital(folder: Path, header: str, rows: Sequence[str]) -> WhonetFile:
    """Write rows as a CSV file and read them."""
    path = folder / "hospital.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return read_file(path)


def cell(antibiogram: Antibiogram, species: str, column: str, stratum: str = "all") -> dict[str, Any]:
    """Return one cell."""
    rows = [
        row
        for row in antibiogram.cells.iter_rows(named=True)
        if (row["species"], row["column"], row["stratum"]) == (species, column, stratum)
    ]
    assert len(rows) == 1
    return rows[0]


def codes(antibiogram: Antibiogram) -> set[str]:
    """Return the cautions by code."""
    return {caution.code for caution in antibiogram.cautions}
