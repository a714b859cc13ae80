"""The tables of an edition: what a row may say, and how a mistake in one is told."""

import csv
from pathlib import Path

import pytest

from sirena.guidelines.editions import load_edition
from sirena.guidelines.rows import Guideline, Statement
from sirena.guidelines.tables import (
    BREAKPOINT_COLUMNS,
    TableError,
    breakpoints_text,
    expected_resistance_text,
    read_breakpoints,
    read_expected_resistance,
)

NAMES = ("CLSI 2025", "CLSI 2026", "EUCAST 2025", "EUCAST 2026")
ROW = {
    "edition": "CLSI 2026",
    "drug": "AMK",
    "rank": "order",
    "group": "Enterobacterales",
    "S": "4",
    "R": "16",
    "source": "Table 2A",
}


def table(folder: Path, **cells: str) -> Path:
    """Write a table of one row with some cells changed."""
    path = folder / "breakpoints.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, BREAKPOINT_COLUMNS, restval="")
        writer.writeheader()
        writer.writerow({**ROW, **cells})
    return path


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_read_again(name: str, tmp_path: Path) -> None:
    """Every column of every shipped row, statement, readings, doubt and remark among them."""
    rules = load_edition(name)
    (tmp_path / "b.csv").write_text(breakpoints_text(name, rules.breakpoints), encoding="utf-8")
    (tmp_path / "e.csv").write_text(expected_resistance_text(name, rules.expected_resistance), encoding="utf-8")
    assert set(read_breakpoints(tmp_path / "b.csv")) == set(rules.breakpoints)
    assert set(read_expected_resistance(tmp_path / "e.csv")) == set(rules.expected_resistance)


@pytest.mark.parametrize("statement", Statement)
def test_a_statement_is_read_by_its_word(tmp_path: Path, statement: Statement) -> None:
    """In any case; an empty cell is a breakpoint, read once."""
    (row,) = read_breakpoints(table(tmp_path, statement=statement.upper(), readings="2", doubt="look"))
    assert (row.statement, row.readings, row.doubt) == (statement, 2, "look")
    (plain,) = read_breakpoints(table(tmp_path))
    assert (plain.statement, plain.readings, plain.doubt, plain.remark) == (Statement.BREAKPOINT, 1, "", "")


@pytest.mark.parametrize(
    ("column", "cell", "complaint"),
    [
        ("statement", "hearsay", "is no statement; statements are breakpoint, dash"),
        ("readings", "0", "is no number of readings"),
        ("readings", "many", "is not readable"),
        ("site", "knee", "is no site; sites are"),
        ("S", "-1", "is no positive concentration"),
        ("middle", "X", "is neither I nor SDD"),
        ("rank", "kingdom", "is no rank"),
    ],
)
def test_a_mistake_is_told_by_file_row_and_column(tmp_path: Path, column: str, cell: str, complaint: str) -> None:
    """With the remedy where there is one."""
    with pytest.raises(TableError) as caught:
        read_breakpoints(table(tmp_path, **{column: cell}))
    assert caught.value.text.startswith(f"breakpoints.csv, row 2, column {column}: the cell {complaint}")


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_shipped_editions_say_where_they_stand(name: str) -> None:
    """Document, number of readings, and figures exactly where the statement has figures."""
    for row in load_edition(name).breakpoints:
        assert row.source
        assert row.readings >= 1
        assert row.statement.has_figures == (row.susceptible is not None or row.resistant is not None)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_read_once_by_clsi_has_a_doubt(name: str) -> None:
    """No M100 text could be had, so a single source is said to be one; EUCAST's documents were read themselves."""
    rules = load_edition(name)
    once = [row for row in rules.breakpoints if row.readings == 1 and row.statement.has_figures]
    if rules.guideline is Guideline.CLSI:
        assert once
        assert [row.key for row in once if not row.doubt] == []
