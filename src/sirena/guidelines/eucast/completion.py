"""Writing out what the workbook's rows imply for one another, since the most specific group with a row decides.

Rules, each with a test of like name:

- organisms that a row or a table leaves out get a row that blocks wider rows, unless they have a row of their own;
- a row for a species and one indication does not hide a wider row of the sheet for other indications: the wider row is
  repeated for the species, unless it is for "others";
- a row that names an organism takes precedence over a row for all organisms of a table that lists its species;
- two rows that differ for the same organisms and indication are both left to a person.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sirena.domain.organisms import Rank
from sirena.guidelines.eucast.findings import Group, Undecided, WorkbookStatement
from sirena.guidelines.eucast.organisms import contains
from sirena.guidelines.eucast.rows import TakenRow, TakenSheet
from sirena.guidelines.rows import Statement
from sirena.guidelines.sites import Indication

_Key = tuple[str, Rank, str, frozenset[Indication]]


def complete(sheets: Iterable[TakenSheet]) -> tuple[tuple[WorkbookStatement, ...], tuple[Undecided, ...]]:
    """Return a workbook's statements, completed by those that they imply, and the cells that contradict one another.

    >>> statement = WorkbookStatement(
    ...     "AMK", Rank.ORDER, "Enterobacterales", (), Statement.BREAKPOINT, 8.0, 8.0, (), "Enterobacterales", 12
    ... )
    >>> row = TakenRow((statement,), ((Rank.GENUS, "Morganella"),), names_organisms=False, for_others=False)
    >>> statements, _ = complete([TakenSheet((row,), (), ())])
    >>> [(statement.group, statement.kind.value) for statement in statements]
    [('Enterobacterales', 'breakpoint'), ('Morganella', 'block')]
    """
    rows_of_sheets = [sheet.rows for sheet in sheets]
    naming_first = sorted((row for rows in rows_of_sheets for row in rows), key=lambda row: not row.names_organisms)
    undecided_cells = tuple(_contradictions(naming_first))
    refused_cells = {(item.sheet, item.cell) for item in undecided_cells}
    statement_of_key: dict[_Key, WorkbookStatement] = {}
    for row in naming_first:
        for statement in row.statements:
            if (statement.sheet, f"A{statement.row}") not in refused_cells:
                statement_of_key.setdefault(_key(statement), statement)
    for rows in rows_of_sheets:
        for statement in (*_repetitions(rows, statement_of_key), *_blocks(rows, statement_of_key)):
            statement_of_key.setdefault(_key(statement), statement)
    return tuple(
        sorted(statement_of_key.values(), key=lambda statement: (statement.sheet, statement.row))
    ), undecided_cells


def _key(statement: WorkbookStatement) -> _Key:
    return statement.drug, statement.rank, statement.group, frozenset(statement.indications)


def _contradictions(rows: Iterable[TakenRow]) -> Iterator[Undecided]:
    first_statements: dict[_Key, tuple[WorkbookStatement, TakenRow]] = {}
    for row in rows:
        for statement in row.statements:
            earlier, its_row = first_statements.setdefault(_key(statement), (statement, row))
            figures = statement.kind, statement.susceptible, statement.resistant
            is_alike = figures == (earlier.kind, earlier.susceptible, earlier.resistant)
            if not is_alike and its_row.names_organisms is row.names_organisms:
                for own, contrary in ((earlier, statement), (statement, earlier)):
                    reason = f"says otherwise than {contrary.sheet}!A{contrary.row} of the same organisms"
                    yield Undecided(own.sheet, f"A{own.row}", reason)


def _blocks(rows: Iterable[TakenRow], statement_of_key: dict[_Key, WorkbookStatement]) -> Iterator[WorkbookStatement]:
    for row in rows:
        for statement in row.statements:
            for rank, group in row.exceptions:
                if contains((statement.rank, statement.group), (rank, group)):
                    block = replace(
                        statement,
                        rank=rank,
                        group=group,
                        kind=Statement.BLOCK,
                        susceptible=None,
                        resistant=None,
                        remark="left out by the row or its table",
                    )
                    if _key(block) not in statement_of_key:
                        yield block


def _repetitions(
    rows: Iterable[TakenRow], statement_of_key: dict[_Key, WorkbookStatement]
) -> Iterator[WorkbookStatement]:
    by_drug: dict[str, list[tuple[WorkbookStatement, TakenRow]]] = {}
    for row in rows:
        for statement in row.statements:
            by_drug.setdefault(statement.drug, []).append((statement, row))
    for pairs in by_drug.values():
        own: dict[Group, list[WorkbookStatement]] = {}
        for statement, _ in pairs:
            own.setdefault((statement.rank, statement.group), []).append(statement)
        for narrow, statements in own.items():
            if any(not statement.indications for statement in statements):
                continue
            for wide, row in pairs:
                repetition = replace(wide, rank=narrow[0], group=narrow[1], remark=f"repeated from {wide.group}")
                is_exempt = row.for_others or narrow in row.exceptions
                if (
                    not is_exempt
                    and _key(repetition) not in statement_of_key
                    and contains((wide.rank, wide.group), narrow)
                ):
                    yield repetition
