"""A file from its rows to its antibiogram: facts, answers, expert rules, counts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from sirena.domain.site import Site
from sirena.panel.column_answers import TablesFor
from sirena.panel.frame import Isolates
from sirena.stewardship.antibiogram import Antibiogram, Request, count_antibiogram
from sirena.stewardship.breakpoint_edges import BreakpointEdges, breakpoint_edges
from sirena.stewardship.cautions import Caution
from sirena.stewardship.condition import FIELDS
from sirena.stewardship.expert import report_results
from sirena.stewardship.expert_rules import ExpertRule
from sirena.stewardship.isolate_facts import IsolateFacts
from sirena.stewardship.isolates import COUNTED_FIELDS, CountableIsolates, read_isolates
from sirena.stewardship.results import Results, interpret_results
from sirena.whonet.file import WhonetFile
from sirena.whonet.mapping import LaboratoryMapping
from sirena.whonet.reading import read_file
from sirena.whonet.streamed import SHORTEST, streamed


@dataclass(frozen=True)
class CountedFile:
    """An antibiogram and what it was counted from."""

    antibiogram: Antibiogram
    isolates: CountableIsolates
    results: Results
    """As counted, expert rules applied."""
    facts: IsolateFacts
    """Of every row, as answered before expert rules: what alerts look at."""
    edges: Mapping[tuple[str, str], BreakpointEdges]
    """Of the breakpoints where the site is not known, by species and column with an MIC."""


def read_to_count(
    path: Path | str,
    *,
    folder: Path,
    sheet: str | None = None,
    mapping: LaboratoryMapping | None = None,
    shortest: int = SHORTEST,
    part: int = 0,
) -> WhonetFile:
    """Read a file that is to be counted, of a long one only the columns that counting looks at.

    Args:
        path: the file; ``-`` is standard input.
        folder: where rows of a long one may be laid down meanwhile, without a name.
        sheet: of a spreadsheet.
        mapping: what the laboratory says of its columns.
        shortest: bytes of the shortest file that is read part by part.
        part: bytes, or rows, of a part; 0 chooses.

    Raises:
        SirenaError: it cannot be read.
    """
    if sheet is None:
        with streamed(path, folder, mapping, shortest=shortest, part=part) as parts:
            if parts is not None:
                return parts.with_rows(_counted_columns(parts.file))
    return read_file(path, sheet=sheet, mapping=mapping)


def _counted_columns(file: WhonetFile) -> list[str]:
    fields = {header for header, short in file.fields.items() if short in (*COUNTED_FIELDS, *FIELDS)}
    tests = {
        *file.mic_columns,
        *(file.category_columns[test] for test in file.mic_columns if test in file.category_columns),
    }
    wanted = {file.organism_column, *fields, *tests, *file.patient_headers[:1]}
    return [header for header in file.frame.columns if header in wanted]


def count_file(
    file: WhonetFile,
    tables_for: TablesFor,
    request: Request,
    *,
    today: date,
    source: str,
    site: Site | None = None,
    rules: Sequence[ExpertRule] | None = None,
    isolates: CountableIsolates | None = None,
    progress: Callable[[str], None] | None = None,
) -> CountedFile:
    """Count the antibiogram of a file.

    Args:
        file: as read.
        tables_for: gives the table of a test column, of an edition or a release.
        request: what is asked for.
        today: later dates are none.
        source: names that edition or release.
        site: of every row; None lets the specimen decide.
        rules: expert rules; None counts the guideline's categories alone.
        isolates: read before the file lost its columns of patients; read from the file when None.
        progress: called with the name of each part before it is counted.

    Raises:
        NoOrganismColumnError: no column names the organism.
        UsageError: a value, period or combination that is asked for is not in the file.
    """
    rows = Isolates.of_file(file, site=site)
    answered = interpret_results(rows, tables_for)
    facts = IsolateFacts.of_results(rows, answered, tables_for)
    reported = report_results(answered, facts, rules) if rules is not None else None
    results = answered if reported is None else reported.results
    isolates = isolates or read_isolates(file, today)
    antibiogram = count_antibiogram(
        isolates,
        results,
        request,
        source=source,
        cautions=_cautions(file, tables_for),
        moved_by_rules=None if reported is None else reported.changes,
        progress=progress,
    )
    return CountedFile(antibiogram, isolates, results, facts, _edges(antibiogram, isolates, results, tables_for))


def _edges(
    antibiogram: Antibiogram, isolates: CountableIsolates, results: Results, tables_for: TablesFor
) -> dict[tuple[str, str], BreakpointEdges]:
    organisms: dict[str, list[str]] = {}
    counts = (
        isolates.frame.group_by("species", "organism").len().drop_nulls().sort(["len", "organism"], descending=True)
    )
    for species, organism, _ in counts.iter_rows():
        organisms.setdefault(species, []).append(organism)
    pairs = (
        antibiogram.distribution.select("species", "column").unique().filter(pl.col("species").is_in(list(organisms)))
    )
    tables = {column: tables_for(drug.column) for column, drug in results.items()}
    return {
        (species, column): breakpoint_edges(table, organisms[species], Site.UNKNOWN)
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
