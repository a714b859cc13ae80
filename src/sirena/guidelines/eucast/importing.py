"""Importing EUCAST's breakpoint workbook as a guideline edition.

Rules, each with a test of like name:

- an edition that comes with Sirena is not replaced: the workbook is compared with it instead;
- expected resistance is published in another document of EUCAST: it is copied from the newest shipped edition that is
  not newer than the workbook, or else from the oldest one, and each row says so;
- antifungals have tables of their own, which the workbook does not hold;
- each row names document, sheet and row; a row that a person should check says why.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.category import Category
from sirena.guidelines.difference import Difference, difference
from sirena.guidelines.edition_file import EditionRecord
from sirena.guidelines.editions import Edition, Editions, is_shipped, load_edition
from sirena.guidelines.eucast.findings import Undecided, WorkbookReading, WorkbookStatement
from sirena.guidelines.eucast.workbook import read_workbook
from sirena.guidelines.rows import Breakpoint, ExpectedResistance, Guideline
from sirena.guidelines.sites import parse_sites
from sirena.guidelines.storing import store_edition

_ANTIFUNGALS: Final = "Antifungals"


@dataclass(frozen=True)
class ImportedWorkbook:
    """What was imported from one workbook, and what was not."""

    name: str
    """Name of the edition."""
    kinds: Mapping[str, int]
    """Number of statements of each kind."""
    expected_from: str
    """Name of the edition from which expected resistance was copied."""
    undecided_cells: tuple[Undecided, ...]
    to_check: tuple[Undecided, ...]
    left_out: tuple[Undecided, ...]
    differences: tuple[Difference, ...] | None = None
    """Differences from the shipped edition of that name, which is kept; None if the workbook's edition was stored."""


def import_eucast(path: Path, folder: Path) -> ImportedWorkbook:
    """Import EUCAST's workbook, and store its edition unless an edition of that name comes with Sirena.

    Args:
        path: the workbook.
        folder: folder of imported editions; created if missing.

    Raises:
        sirena.guidelines.eucast.findings.WorkbookError: the file is not EUCAST's workbook, or was damaged or changed.
    """
    reading = read_workbook(path)
    base = _expected_resistance_of(reading.edition)
    edition = Edition(
        reading.edition,
        Guideline.EUCAST,
        tuple(breakpoints_of(reading)),
        tuple(_taken_over(base, reading.edition)),
        record=_record(reading, base),
    )
    kinds = Counter(statement.kind.value for statement in reading.statements)
    report = ImportedWorkbook(
        edition.name, dict(kinds), base.name, reading.undecided_cells, reading.to_check, reading.left_out
    )
    if is_shipped(edition.name):
        return replace(report, differences=tuple(_differences(load_edition(edition.name), edition)))
    provenance = {
        "files": [{"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}],
        "version": reading.version,
        "breakpoints": len(edition.breakpoints),
        "expected_resistance": len(edition.expected_resistance),
        "expected_resistance_from": base.name,
        "undecided": [f"{item.sheet}!{item.cell}: {item.reason}" for item in reading.undecided_cells],
    }
    store_edition(folder, edition, provenance)
    return report


def _record(reading: WorkbookReading, base: Edition) -> EditionRecord:
    doubts = [
        "antifungals: not in the workbook",
        f"expected resistance: taken over from {base.name}",
        *(f"{item.sheet}!{item.cell} was left out: {item.reason}" for item in reading.undecided_cells),
    ]
    return EditionRecord(
        documents=(f"EUCAST v{reading.version}",),
        in_force_since=reading.valid_from,
        reading="the workbook, read once, by program",
        doubts=tuple(doubts),
    )


def breakpoints_of(reading: WorkbookReading) -> Iterator[Breakpoint]:
    """Yield the breakpoint rows of the edition that a workbook gives.

    >>> import datetime
    >>> from sirena.domain.organisms import Rank
    >>> from sirena.guidelines.rows import Statement
    >>> group = Rank.GENUS, "Acinetobacter"
    >>> statement = WorkbookStatement("AMK", *group, (), Statement.BREAKPOINT, 8.0, 8.0, (), "Acinetobacter", 30)
    >>> reading = WorkbookReading("EUCAST 2026", "16.0", datetime.date(2026, 1, 1), (statement,), (), (), ())
    >>> [(row.group, row.susceptible, row.source) for row in breakpoints_of(reading)]
    [('Acinetobacter', 8.0, 'EUCAST v16.0 xlsx, Acinetobacter!30')]
    """
    doubts = {(item.sheet, item.cell): item.reason for item in reading.to_check}
    for statement in reading.statements:
        yield Breakpoint(
            drug=statement.drug,
            rank=statement.rank,
            group=statement.group,
            sites=parse_sites(", ".join(statement.indications)),
            susceptible=statement.susceptible,
            resistant=statement.resistant,
            middle=Category.I,
            source=_source(reading, statement),
            statement=statement.kind,
            doubt=doubts.get((statement.sheet, f"A{statement.row}"), ""),
            remark=statement.remark,
        )


def _source(reading: WorkbookReading, statement: WorkbookStatement) -> str:
    return f"EUCAST v{reading.version} xlsx, {statement.sheet}!{statement.row}"


def _expected_resistance_of(name: str) -> Edition:
    """Return the shipped edition from which expected resistance is copied."""
    own = sorted(edition for edition in Editions().names if edition.startswith(Guideline.EUCAST))
    return load_edition(max((edition for edition in own if edition <= name), default=own[0]))


def _taken_over(base: Edition, name: str) -> Iterator[ExpectedResistance]:
    for statement in base.expected_resistance:
        doubt = statement.doubt if base.name == name else f"taken over from {base.name}"
        yield replace(statement, doubt=doubt)


def _differences(shipped_edition: Edition, workbook_edition: Edition) -> Iterator[Difference]:
    """Yield the differences between the shipped edition and the workbook's, without antifungals."""
    for item in difference(shipped_edition, workbook_edition):
        agent = ANTIMICROBIALS.get(item.drug)
        if agent is None or agent.family != _ANTIFUNGALS:
            yield item
