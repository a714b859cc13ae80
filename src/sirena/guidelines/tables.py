"""Reading and writing the tables of a guideline edition: text, one row per line, so that people can review changes.

``breakpoints.csv``: edition, drug, rank, group, site, S, R, middle, statement, source, readings, doubt, remark. S and R
in mg/L as the guideline prints them; ``statement``: the kind of the row (see `sirena.guidelines.rows.Statement`).
``expected_resistance.csv``: edition, drug, rank, group, except (groups as ``rank:name`` joined by ``; ``), source,
readings, doubt.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from sirena.domain.category import Category
from sirena.domain.errors import SirenaError
from sirena.domain.organisms import Rank
from sirena.guidelines.rows import Breakpoint, ExpectedResistance, Statement
from sirena.guidelines.sites import parse_sites

BREAKPOINT_COLUMNS: Final = (
    *("edition", "drug", "rank", "group", "site", "S", "R", "middle"),
    *("statement", "source", "readings", "doubt", "remark"),
)
EXPECTED_COLUMNS: Final = ("edition", "drug", "rank", "group", "except", "source", "readings", "doubt")
Parsed = TypeVar("Parsed")
_RANKS: Final = {rank.name.lower().replace("_", " "): rank for rank in Rank}
_MIDDLE: Final = {"I": Category.I, "SDD": Category.SDD}


class TableError(SirenaError):
    """A guideline table holds a row that cannot be read or applied."""

    code = "guideline_table"


def rank_name(rank: Rank) -> str:
    """Return a rank in the spelling of the tables: ``species group``.

    >>> rank_name(Rank.GENUS_GROUP)
    'genus group'
    """
    return rank.name.lower().replace("_", " ")


def parse_rank(text: str) -> Rank:
    """Return the rank that a text names.

    Raises:
        ValueError: the text is not a rank.

    >>> parse_rank("species")
    <Rank.SPECIES: 2>
    """
    try:
        return _RANKS[text.strip().lower().replace("_", " ")]
    except KeyError:
        raise ValueError(f"is no rank; ranks are {', '.join(_RANKS)}") from None


def parse_concentration(text: str) -> float | None:
    """Return the concentration in an S or R cell, in mg/L; None if the cell is empty. A decimal comma is read.

    Raises:
        ValueError: the cell is not a positive number.

    >>> parse_concentration("0.5"), parse_concentration("")
    (0.5, None)
    """
    if not text.strip():
        return None
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        raise ValueError("is no number; write mg/L, 0.5") from None
    if not 0 < value < float("inf"):
        raise ValueError("is no positive concentration in mg/L")
    return value


def parse_middle(text: str) -> Category:
    """Return the category between S and R: ``I`` (also if the cell is empty) or ``SDD``.

    Raises:
        ValueError: the cell holds another text.

    >>> parse_middle("sdd"), parse_middle("")
    (<Category.SDD: 'SDD'>, <Category.I: 'I'>)
    """
    try:
        return _MIDDLE[text.strip().upper() or "I"]
    except KeyError:
        raise ValueError("is neither I nor SDD") from None


def parse_statement(text: str) -> Statement:
    """Return the kind of statement that a cell names; an empty cell is `Statement.BREAKPOINT`.

    Raises:
        ValueError: the text is not a kind of statement.

    >>> parse_statement("")
    <Statement.BREAKPOINT: 'breakpoint'>
    """
    try:
        return Statement(text.strip().lower() or Statement.BREAKPOINT)
    except ValueError:
        raise ValueError(f"is no statement; statements are {', '.join(Statement)}") from None


def parse_readings(text: str) -> int:
    """Return the number of independent readings in a cell; an empty cell counts as 1.

    Raises:
        ValueError: the cell is not a whole number of 1 or more.

    >>> parse_readings("3"), parse_readings("")
    (3, 1)
    """
    readings = int(text.strip() or "1")
    if readings < 1:
        raise ValueError("is no number of readings")
    return readings


def spell_concentration(value: float | None) -> str:
    """Return a concentration in the spelling of the tables; empty for None.

    >>> spell_concentration(0.5), spell_concentration(None)
    ('0.5', '')
    """
    return "" if value is None else f"{value:g}"


def read_breakpoints(path: Path) -> tuple[Breakpoint, ...]:
    """Read the rows of a ``breakpoints.csv``.

    Raises:
        TableError: a row cannot be read; the error names file, row and column.

    >>> from sirena.guidelines.editions import SHIPPED
    >>> rows = read_breakpoints(SHIPPED / "clsi_2026" / "breakpoints.csv")
    >>> [(row.group, row.susceptible, row.resistant) for row in rows if row.drug == "SPT"]
    [('Neisseria gonorrhoeae', 32.0, 128.0)]
    """
    return tuple(_breakpoint(path, line, row) for line, row in _read(path, BREAKPOINT_COLUMNS))


def read_expected_resistance(path: Path) -> tuple[ExpectedResistance, ...]:
    """Read the rows of an ``expected_resistance.csv``.

    Raises:
        TableError: a row cannot be read; the error names file, row and column.

    >>> from sirena.guidelines.editions import SHIPPED
    >>> statements = read_expected_resistance(SHIPPED / "clsi_2026" / "expected_resistance.csv")
    >>> "Enterococcus" in {statement.group for statement in statements if statement.drug == "AMK"}
    True
    """
    return tuple(_expected_resistance(path, line, row) for line, row in _read(path, EXPECTED_COLUMNS))


def breakpoints_text(edition: str, rows: Iterable[Breakpoint]) -> str:
    """Return the table of breakpoints as CSV text, sorted so that a person can look something up.

    >>> group = Rank.SPECIES, "Neisseria gonorrhoeae"
    >>> row = Breakpoint("SPT", *group, parse_sites(""), 32.0, 128.0, Category.I, "CLSI M100 Table 2F")
    >>> print(breakpoints_text("CLSI 2026", [row]), end="")
    edition,drug,rank,group,site,S,R,middle,statement,source,readings,doubt,remark
    CLSI 2026,SPT,species,Neisseria gonorrhoeae,,32,128,I,breakpoint,CLSI M100 Table 2F,1,,
    """
    ordered = sorted(rows, key=lambda row: (row.drug, row.rank, row.group, row.sites, row.statement))
    return _write(
        BREAKPOINT_COLUMNS,
        (
            (
                edition,
                row.drug,
                rank_name(row.rank),
                row.group,
                ", ".join(row.sites),
                spell_concentration(row.susceptible),
                spell_concentration(row.resistant),
                row.middle.value,
                row.statement.value,
                row.source,
                row.readings,
                row.doubt,
                row.remark,
            )
            for row in ordered
        ),
    )


def expected_resistance_text(edition: str, rows: Iterable[ExpectedResistance]) -> str:
    """Return the table of expected resistance as CSV text.

    >>> statement = ExpectedResistance("AMK", Rank.GENUS, "Enterococcus", source="CLSI M100 Appendix B")
    >>> print(expected_resistance_text("CLSI 2026", [statement]), end="")
    edition,drug,rank,group,except,source,readings,doubt
    CLSI 2026,AMK,genus,Enterococcus,,CLSI M100 Appendix B,1,
    """
    ordered = sorted(rows, key=lambda row: (row.drug, row.rank, row.group, sorted(row.exceptions)))
    return _write(
        EXPECTED_COLUMNS,
        (
            (
                edition,
                row.drug,
                rank_name(row.rank),
                row.group,
                "; ".join(f"{rank_name(rank)}:{group}" for rank, group in sorted(row.exceptions)),
                row.source,
                row.readings,
                row.doubt,
            )
            for row in ordered
        ),
    )


def _write(header: tuple[str, ...], rows: Iterable[tuple[str | int, ...]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return stream.getvalue()


def _read(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream, restval="")
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise TableError(
                f"{path.name}: column {missing[0]} is missing", hint=f"write the columns {', '.join(columns)}"
            )
        for row in reader:
            yield reader.line_num, row


def _breakpoint(path: Path, line: int, row: dict[str, str]) -> Breakpoint:
    place = path.name, line
    return Breakpoint(
        drug=row["drug"],
        rank=parse_cell(parse_rank, row, "rank", *place),
        group=row["group"],
        sites=parse_cell(parse_sites, row, "site", *place),
        susceptible=parse_cell(parse_concentration, row, "S", *place),
        resistant=parse_cell(parse_concentration, row, "R", *place),
        middle=parse_cell(parse_middle, row, "middle", *place),
        source=row["source"],
        statement=parse_cell(parse_statement, row, "statement", *place),
        readings=parse_cell(parse_readings, row, "readings", *place),
        doubt=row["doubt"],
        remark=row["remark"],
    )


def _expected_resistance(path: Path, line: int, row: dict[str, str]) -> ExpectedResistance:
    place = path.name, line
    return ExpectedResistance(
        drug=row["drug"],
        rank=parse_cell(parse_rank, row, "rank", *place),
        group=row["group"],
        exceptions=parse_cell(_parse_exceptions, row, "except", *place),
        source=row["source"],
        readings=parse_cell(parse_readings, row, "readings", *place),
        doubt=row["doubt"],
    )


def _parse_exceptions(text: str) -> frozenset[tuple[Rank, str]]:
    pairs = (part.partition(":") for part in text.split(";") if part.strip())
    return frozenset((parse_rank(rank), group.strip()) for rank, _, group in pairs)


def parse_cell(parse: Callable[[str], Parsed], row: dict[str, str], column: str, file: str, line: int) -> Parsed:
    """Return the value that a function parses from one cell of a table.

    Raises:
        TableError: the cell cannot be read; the error names file, row and column, and what is wrong.

    >>> parse_cell(parse_readings, {"readings": "2"}, "readings", "breakpoints.csv", 2)
    2
    """
    try:
        return parse(row[column])
    except ValueError as error:
        raise TableError(f"{file}, row {line}, column {column}: the cell {_complaint(error)}") from None


def _complaint(error: ValueError) -> str:
    text = str(error)
    return text if text.startswith("is ") else "is not readable"
