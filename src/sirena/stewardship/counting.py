"""Counting the antibiogram of a file: from its rows over answers and expert rules to counts.

A long file is divided into shares of its patients, which are counted one after another, so a share limits the memory.
Each share has all rows of its patients, so first isolates do not change, and the counts are added. Meanwhile the rows
are in temporary files without a name: first as they were read, then sorted by share, so that each share is read once.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial, reduce
from operator import add
from pathlib import Path
from typing import Final, Self

import polars as pl
import pyarrow as pa

from sirena.domain.site import Site
from sirena.domain.test_column import parse_test_column
from sirena.engine import Engine
from sirena.engine.local import LOCAL, ONE_BY_ONE
from sirena.panel.column_answers import TablesFor
from sirena.panel.frame import Isolates
from sirena.stewardship.alerts import AlertCount, added_alerts, find_alerts
from sirena.stewardship.antibiogram import Antibiogram, AntibiogramCounts, Request, antibiogram_of, count_part
from sirena.stewardship.breakpoint_edges import BreakpointEdges, breakpoint_edges
from sirena.stewardship.cautions import Caution
from sirena.stewardship.condition import FIELDS
from sirena.stewardship.expert import report_results
from sirena.stewardship.expert_rules import ExpertRule
from sirena.stewardship.isolate_facts import IsolateFacts
from sirena.stewardship.isolates import COUNTED_FIELDS, CountableIsolates, WholeFile, patient_cells, read_isolates
from sirena.stewardship.patient_key import share_patients
from sirena.stewardship.quality import Quality, data_quality
from sirena.stewardship.results import interpret_results
from sirena.whonet.file import WhonetFile
from sirena.whonet.mapping import LaboratoryMapping
from sirena.whonet.reading import read_file
from sirena.whonet.spool import Spelling, Spool
from sirena.whonet.streamed import SHORTEST, StreamedFile, streamed

MOST_AT_ONCE: Final = 500_000
"""About how many rows a share of the patients has."""
MOST_OF_A_TASK: Final = 200_000
"""The same on a cluster: fewer, so that each processor needs less memory and more processors have work."""
_DECIDED_BY_TEXTS: Final = tuple(
    field for field in COUNTED_FIELDS if field not in ("PATIENT_ID", "SPEC_NUM", "ISOL_NUM")
)
"""Fields with few distinct texts; decisions about the whole column are made from these texts."""


@dataclass(frozen=True)
class CountedFile:
    """The antibiogram of a file, and what a report shows with it."""

    antibiogram: Antibiogram
    edges: Mapping[tuple[str, str], BreakpointEdges]
    """Breakpoints for an unknown site, by species and column with an MIC."""
    alerts: tuple[AlertCount, ...]
    """Counts of alerts in all rows, before expert rules."""
    quality: Quality


FilePart = Callable[[], tuple[WhonetFile, CountableIsolates]]
"""Function that reads some rows of a file: all rows of some patients."""


@dataclass(frozen=True)
class FileToCount:
    """A file to be counted, whole or in parts."""

    file: WhonetFile
    """The file, for the roles of its columns."""
    parts: Iterable["FilePart"]
    """Functions that read its rows: all at once, or those of one share of the patients each. Can be iterated once."""
    engine: Engine = ONE_BY_ONE
    """Engine that counts the parts."""

    @classmethod
    def of_whole_file(cls, file: WhonetFile, isolates: CountableIsolates) -> Self:
        """Create the object from a file that was read in one piece."""
        return cls(file, [lambda: (file, isolates)])


@contextmanager
def open_to_count(
    path: Path | str,
    *,
    folder: Path,
    today: date,
    sheet: str | None = None,
    mapping: LaboratoryMapping | None = None,
    shortest: int = SHORTEST,
    part: int = 0,
    most_rows: int | None = None,
    engine: Engine = LOCAL,
) -> Iterator[FileToCount]:
    """Open a file for counting; of a long file, only the columns needed for counting are read.

    Args:
        path: the file; ``-`` is standard input.
        folder: folder for the temporary files of a long file's rows.
        today: dates after this day are ignored.
        sheet: name of a spreadsheet's sheet.
        mapping: what the laboratory says about its columns.
        shortest: size in bytes from which a file is read in parts.
        part: size in bytes, or in rows, of each part that is read; 0 for the usual size.
        most_rows: approximate number of rows that are counted at once; None for the usual number.
        engine: engine that parses and counts the parts.

    Raises:
        SirenaError: the file cannot be read.
    """
    if sheet is None:
        with streamed(
            path, folder, mapping, shortest=shortest, part=part, by_texts=_DECIDED_BY_TEXTS, engine=engine
        ) as rows:
            if rows is not None:
                # here one share at a time is in memory; on a cluster shares are small, and many
                at_once, counts = (MOST_AT_ONCE, ONE_BY_ONE) if engine is LOCAL else (MOST_OF_A_TASK, engine)
                with Spool(folder) as share_spool:
                    yield FileToCount(rows.file, _shares(rows, share_spool, today, most_rows or at_once), counts)
                return
    file = read_file(path, sheet=sheet, mapping=mapping)
    yield FileToCount.of_whole_file(file, read_isolates(file, today))


def _shares(rows: StreamedFile, share_spool: Spool, today: date, most_rows: int) -> Iterator["_Share"]:
    """Yield the rows of one share of the patients after another, each of about the wanted number of rows."""
    shares, columns = -(-rows.height // most_rows), _counted_columns(rows.file)
    spelling = rows.spelling(columns)
    rows.spool.deal(
        share_spool, lambda frame: share_patients(patient_cells(frame, rows.file), shares), spelling, columns
    )
    # of each column whether anything stands in it: all texts of all columns would go along with every share
    first_values = rows.file.frame.select(pl.col(columns).drop_nulls().first())
    roles = replace(rows.file, table=replace(rows.file.table, frame=first_values))
    whole_file = WholeFile(roles, {name: rows.texts[name] for name in columns if name in rows.texts})
    return (_Share(whole_file, spelling, tables, today) for tables in share_spool.shares(columns))


@dataclass(frozen=True)
class _Share:
    """The rows of some patients on disk; may be sent to another process."""

    whole_file: WholeFile
    spelling: Spelling
    tables: Sequence[pa.Table]
    today: date

    def __call__(self) -> tuple[WhonetFile, CountableIsolates]:
        """Return the rows: tests are enumerations of their texts, every other column is String."""
        file = self.whole_file.file
        frame = pl.concat([self._rows(table) for table in self.tables], rechunk=True)
        part = replace(file, table=replace(file.table, frame=frame))
        return part, read_isolates(part, self.today, part_of=self.whole_file)

    def _rows(self, table: pa.Table) -> pl.DataFrame:
        rows, tests = self.spelling.frame(table), self.whole_file.file.test_columns
        texts = [name for name, kind in rows.schema.items() if kind == pl.Enum and name not in tests]
        return rows.with_columns(pl.col(texts).cast(pl.String))


def _counted_columns(file: WhonetFile) -> list[str]:
    fields = {header for header, short in file.fields.items() if short in (*COUNTED_FIELDS, *FIELDS)}
    tests = {
        *file.mic_columns,
        *(file.category_columns[test] for test in file.mic_columns if test in file.category_columns),
    }
    needed_headers = {file.organism_column, *fields, *tests, *file.patient_headers[:1]}
    return [header for header in file.frame.columns if header in needed_headers]


def count_file(
    to_count: FileToCount,
    tables_for: TablesFor,
    request: Request,
    *,
    source: str,
    site: Site | None = None,
    rules: Sequence[ExpertRule] | None = None,
    progress: Callable[[str], None] | None = None,
) -> CountedFile:
    """Return the antibiogram of a file, and what a report shows with it.

    Args:
        to_count: the file.
        tables_for: returns the truth table of a test column, from a guideline edition or a release.
        request: how to count.
        source: name of that guideline edition or release.
        site: body site of every row; None to take it from each row's specimen.
        rules: expert rules; None to count the guideline's categories unchanged.
        progress: called with the name of each stratification before it is counted.

    Raises:
        NoOrganismColumnError: no column names the organism.
        UsageError: the request names a value, period or combination that the file lacks.
    """
    count = partial(_count_part, tables_for, request, site, rules, progress)
    # `reduce` holds no part's rows while the next is read
    part_counts = reduce(add, to_count.engine.in_turn(count, to_count.parts))
    antibiogram = antibiogram_of(
        part_counts.antibiogram,
        request,
        source=source,
        cautions=_cautions(to_count.file, tables_for),
        moved_by_rules=None if rules is None else part_counts.moved_results,
    )
    return CountedFile(
        antibiogram, _edges(antibiogram, part_counts.organisms, tables_for), part_counts.alerts, part_counts.quality
    )


@dataclass(frozen=True)
class _CountedPart:
    """Counts of a part of a file that shares no patient with the other parts."""

    antibiogram: AntibiogramCounts
    moved_results: Counter[str]
    """Number of results that each expert rule changed to R."""
    organisms: pl.DataFrame
    """Number of isolates: columns ``species``, ``organism``, ``len``."""
    alerts: tuple[AlertCount, ...]
    quality: Quality

    def __add__(self, other: "_CountedPart") -> "_CountedPart":
        return _CountedPart(
            AntibiogramCounts.added([self.antibiogram, other.antibiogram]),
            self.moved_results + other.moved_results,
            pl.concat([self.organisms, other.organisms]).group_by("species", "organism").agg(pl.col("len").sum()),
            added_alerts([self.alerts, other.alerts]),
            Quality.added([self.quality, other.quality]),
        )


def _count_part(
    tables_for: TablesFor,
    request: Request,
    site: Site | None,
    rules: Sequence[ExpertRule] | None,
    progress: Callable[[str], None] | None,
    part: FilePart,
) -> _CountedPart:
    file, isolates = part()
    rows = Isolates.of_file(file, site=site)
    results = interpret_results(rows, tables_for)
    facts = IsolateFacts.of_results(rows, results, tables_for)
    reported_results = report_results(results, facts, rules) if rules is not None else None
    return _CountedPart(
        count_part(
            isolates, results if reported_results is None else reported_results.results, request, progress=progress
        ),
        Counter() if reported_results is None else Counter(reported_results.changes),
        isolates.frame.group_by("species", "organism").len().drop_nulls(),
        tuple(finding.alert_count for finding in find_alerts(facts)),
        data_quality(file, isolates, facts),
    )


def _edges(
    antibiogram: Antibiogram, organisms: pl.DataFrame, tables_for: TablesFor
) -> dict[tuple[str, str], BreakpointEdges]:
    commonest: dict[str, list[str]] = {}
    for species, organism, _ in organisms.sort(["len", "organism"], descending=[True, False]).iter_rows():
        commonest.setdefault(species, []).append(organism)
    pairs = (
        antibiogram.distribution.select("species", "column").unique().filter(pl.col("species").is_in(list(commonest)))
    )
    tables = {name: tables_for(column) for name in pairs["column"].unique() if (column := parse_test_column(name))}
    return {
        (species, column): breakpoint_edges(table, commonest[species], Site.UNKNOWN)
        for species, column in pairs.iter_rows()
        if (table := tables[column]) is not None
    }


def _cautions(file: WhonetFile, tables_for: TablesFor) -> list[Caution]:
    zones = len(file.test_columns) - len(file.mic_columns)
    cautions = [Caution("zones", {"columns": zones})] if zones else []
    tables = (tables_for(column) for column in file.mic_columns.values())
    if any(table is not None and table.keys and not table.grounds for table in tables):
        cautions.append(Caution("no_grounds"))
    return cautions
