"""Checking a table of a hospital's own rules, by row and column, and writing it in one normalised form.

Rules, each with a test of like name:

- a table that readers of rules would not accept is refused; the error names row, column and remedy;
- a saved table is read back as the same rules;
- a cell holds no invisible character, no spreadsheet formula, and no number that could be a patient's.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Final

from sirena.domain.errors import UsageError
from sirena.domain.rule_kind import MOST_RULES, RuleKind
from sirena.guidelines import overlay_file
from sirena.guidelines.editions import Editions
from sirena.guidelines.tables import TableError
from sirena.guidelines.written_rules import WrittenRules, delimiter_of, rules_text
from sirena.ledger.plain_text import LONGEST_LINE, holds_record_number, one_line
from sirena.ledger.rule_versions import table_content
from sirena.stewardship import expert_rules

COLUMNS: Final[Mapping[RuleKind, tuple[str, ...]]] = {
    RuleKind.OVERLAY: overlay_file.COLUMNS,
    RuleKind.EXPERT: expert_rules.COLUMNS,
}
"""Columns of the table of each kind, in the order in which they are saved."""
_WRITTEN: Final = ("who", "why", "source")
"""Columns with free text."""
_FORMULAS: Final = tuple("=+-@")


def read_rows(kind: RuleKind, content: bytes) -> list[dict[str, str]]:
    """Return the rows of a table, as dictionaries by column; runs of spaces become one space, empty rows are left out.

    Args:
        kind: kind of the rules.
        content: content of a CSV file with a header, with any separator that readers of rules accept.
    """
    text = rules_text(content)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), restval="")
    names = {(name or "").strip().lower(): name for name in reader.fieldnames or ()}

    def cell(cells: Mapping[str, str | None], column: str) -> str:
        return " ".join((cells.get(names.get(column.lower(), "")) or "").split())

    rows = []
    for cells in reader:
        row = {column: cell(cells, column) for column in COLUMNS[kind]}
        if kind is RuleKind.OVERLAY and (statement := cell(cells, "statement")):
            row["action"] = statement
        if any(row.values()):
            rows.append(row)
    return rows


def lines_of(kind: RuleKind, rows: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Return rows as the lines of a table; the first is the header.

    >>> lines_of(RuleKind.OVERLAY, [])
    ('who,when,why,edition,action,drug,rank,group,site,S,R,middle',)
    """
    columns = COLUMNS[kind]
    return tuple(_line(cells) for cells in (columns, *([row.get(column, "") for column in columns] for row in rows)))


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def table_of(kind: RuleKind, rows: Sequence[Mapping[str, str]]) -> WrittenRules:
    """Return rows as the table of a new version, not saved yet."""
    return WrittenRules(f"{kind}.csv", table_content(lines_of(kind, rows)))


def check_table(kind: RuleKind, source: WrittenRules, editions: Editions) -> None:
    """Check that a table is valid, or raise an error. A table without rows is valid: it leaves no rules in force.

    Args:
        kind: kind of the rules.
        source: the table.
        editions: guideline editions that rules may name.

    Raises:
        TableError: the table is not valid; the error names row, column and remedy.
        UsageError: there are too many rows.
    """
    if kind is RuleKind.EXPERT:
        expert_rules.load_expert_rules(source)
    else:
        _check_overlay(source, editions)
    rows = read_rows(kind, source.content)
    if len(rows) > MOST_RULES:
        raise UsageError(f"{source.name}: more than {MOST_RULES} rules", hint="keep those that are needed")
    for number, (row, line) in enumerate(zip(rows, lines_of(kind, rows)[1:], strict=True), start=2):
        _check_cells(row, line, f"{source.name}, row {number}")


def _check_overlay(source: WrittenRules, editions: Editions) -> None:
    edition_names = {row.edition for row in overlay_file.read_overlay(source.name, source.content, editions.names)}
    # laid over an edition, a rule can also be found to have no effect or to stand twice
    for name in dict.fromkeys(map(editions.resolve, sorted(edition_names))):
        editions.load(name, in_force=source)


def _check_cells(row: Mapping[str, str], line: str, where: str) -> None:
    for column, cell in row.items():
        if cell.startswith(_FORMULAS):
            raise TableError(
                f"{where}, column {column}: the cell begins like a formula of a spreadsheet",
                hint="begin it with a letter or a figure",
            )
        if column in _WRITTEN and holds_record_number(cell):
            raise TableError(
                f"{where}, column {column}: the cell holds figures that could be a patient's number or a date",
                hint="leave them out: rules name no patient, and column when holds the date",
            )
    if one_line(line, LONGEST_LINE) != line:
        raise TableError(
            f"{where}: the row is too long, or holds signs that cannot be seen",
            hint=f"write it anew, in at most {LONGEST_LINE} letters",
        )


def saved_form(kind: RuleKind, source: WrittenRules, editions: Editions) -> tuple[str, ...]:
    """Check a table of rules, and return the lines of the saved table.

    Raises:
        TableError: the table is not valid; the error's row and column are those of the given table.
    """
    check_table(kind, source, editions)
    lines = lines_of(kind, read_rows(kind, source.content))
    check_table(kind, WrittenRules(source.name, table_content(lines)), editions)
    return lines
