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
    def whole(cls, file: WhonetFile, isolates: CountableIsolates) -> Self:
        """Return a file that was read as a whole."""
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
    most: int | None = None,
    engine: Engine = LOCAL,
) -> Iterator[FileToCount]:
    """Give a file to be counted; of a long one, only the columns needed for counting are read.

    Args:
        path: the file; ``-`` is standard input.
        folder: folder for the temporary files of a long file's rows.
        today: dates after this day are ignored.
        sheet: name of a spreadsheet's sheet.
        mapping: what the laboratory says about its columns.
        shortest: least bytes of a file that is read in parts.
        part: bytes, or rows, of a part on reading; 0 for the usual number.
        most: about how many rows are counted at once; None for the usual number.
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
                with Spool(folder) as dealt:
                    yield FileToCount(rows.file, _shares(rows, dealt, today, most or at_once), counts)
                return
    file = read_file(path, sheet=sheet, mapping=mapping)
    yield FileToCount.whole(file, read_isolates(file, today))


def _shares(rows: StreamedFile, dealt: Spool, today: date, most: int) -> Iterator["_Share"]:
    """Yield the rows of one share of the patients after another, each of about the wanted number of rows."""
    shares, columns = -(-rows.height // most), _counted_columns(rows.file)
    spelling = rows.spelling(columns)
    rows.spool.deal(dealt, lambda frame: share_patients(patient_cells(frame, rows.file), shares), spelling, columns)
    # of each column whether anything stands in it: all texts of all columns would go along with every share
    filled = rows.file.frame.select(pl.col(columns).drop_nulls().first())
    roles = replace(rows.file, table=replace(rows.file.table, frame=filled))
    whole = WholeFile(roles, {name: rows.texts[name] for name in columns if name in rows.texts})
    return (_Share(whole, spelling, tables, today) for tables in dealt.shares(columns))


@dataclass(frozen=True)
class _Share:
    """The rows of some patients on disk; may be sent to another process."""

    whole: WholeFile
    spelling: Spelling
    tables: Sequence[pa.Table]
    today: date

    def __call__(self) -> tuple[WhonetFile, CountableIsolates]:
        """Return the rows: tests are enumerations of their texts, every other column is String."""
        file = self.whole.file
        frame = pl.concat([self._rows(table) for table in self.tables], rechunk=True)
        part = replace(file, table=replace(file.table, frame=frame))
        return part, read_isolates(part, self.today, part_of=self.whole)

    def _rows(self, table: pa.Table) -> pl.DataFrame:
        rows, tests = self.spelling.frame(table), self.whole.file.test_columns
        texts = [name for name, kind in rows.schema.items() if kind == pl.Enum and name not in tests]
        return rows.with_columns(pl.col(texts).cast(pl.String))


def _counted_columns(file: WhonetFile) -> list[str]:
    fields = {header for header, short in file.fields.items() if short in (*COUNTED_FIELDS, *FIELDS)}
    tests = {
        *file.mic_columns,
        *(file.category_columns[test] for test in file.mic_columns if test in file.category_columns),
    }
    wanted = {file.organism_column, *fields, *tests, *file.patient_headers[:1]}
    return [header for header in file.frame.columns if header in wanted]


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
        tables_for: returns the truth table of a test column, from an edition or a release.
        request: how to count.
        source: name of that edition or release.
        site: site of every row; None to take it from the specimen.
        rules: expert rules; None to count the guideline's categories unchanged.
        progress: called with the name of each stratification before it is counted.

    Raises:
        NoOrganismColumnError: no column names the organism.
        UsageError: the file lacks a value, period or combination in the request.
    """
    count = partial(_count_part, tables_for, request, site, rules, progress)
    # `reduce` holds no part's rows while the next is read
    counted = reduce(add, to_count.engine.in_turn(count, to_count.parts))
    antibiogram = antibiogram_of(
        counted.antibiogram,
        request,
        source=source,
        cautions=_cautions(to_count.file, tables_for),
        moved_by_rules=None if rules is None else counted.moved,
    )
    return CountedFile(antibiogram, _edges(antibiogram, counted.organisms, tables_for), counted.alerts, counted.quality)


@dataclass(frozen=True)
class _CountedPart:
    """Counts of a part of a file that shares no patient with the other parts."""

    antibiogram: AntibiogramCounts
    moved: Counter[str]
    """Number of results that each expert rule changed to R."""
    organisms: pl.DataFrame
    """Number of isolates: columns ``species``, ``organism``, ``len``."""
    alerts: tuple[AlertCount, ...]
    quality: Quality

    def __add__(self, other: "_CountedPart") -> "_CountedPart":
        return _CountedPart(
            AntibiogramCounts.added([self.antibiogram, other.antibiogram]),
            self.moved + other.moved,
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
    answered = interpret_results(rows, tables_for)
    facts = IsolateFacts.of_results(rows, answered, tables_for)
    reported = report_results(answered, facts, rules) if rules is not None else None
    return _CountedPart(
        count_part(isolates, answered if reported is None else reported.results, request, progress=progress),
        Counter() if reported is None else Counter(reported.changes),
        isolates.frame.group_by("species", "organism").len().drop_nulls(),
        tuple(finding.counted for finding in find_alerts(facts)),
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
    answering = (tables_for(column) for column in file.mic_columns.values())
    if any(table is not None and table.keys and not table.grounds for table in answering):
        cautions.append(Caution("no_grounds"))
    return cautions
