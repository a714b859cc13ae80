"""A file from its rows to its antibiogram: facts, answers, expert rules, counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from sirena.domain.site import Site
from sirena.panel.frame import Isolates, TablesFor
from sirena.stewardship.antibiogram import Antibiogram, Request, count_antibiogram
from sirena.stewardship.cautions import Caution
from sirena.stewardship.expert import report_results
from sirena.stewardship.expert_rules import ExpertRule
from sirena.stewardship.isolate_facts import IsolateFacts
from sirena.stewardship.isolates import CountableIsolates, read_isolates
from sirena.stewardship.results import Results, interpret_results
from sirena.whonet.file import WhonetFile


@dataclass(frozen=True)
class CountedFile:
    """An antibiogram and what it was counted from."""

    antibiogram: Antibiogram
    isolates: CountableIsolates
    results: Results
    """As counted, expert rules applied."""
    facts: IsolateFacts
    """Of every row, as answered before expert rules: what alerts look at."""


def count_file(
    file: WhonetFile,
    tables_for: TablesFor,
    request: Request,
    *,
    today: date,
    source: str,
    site: Site | None = None,
    rules: Sequence[ExpertRule] | None = None,
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
    isolates = read_isolates(file, today)
    antibiogram = count_antibiogram(
        isolates,
        results,
        request,
        source=source,
        cautions=_cautions(file, tables_for),
        moved_by_rules=None if reported is None else reported.changes,
        progress=progress,
    )
    return CountedFile(antibiogram, isolates, results, facts)


def _cautions(file: WhonetFile, tables_for: TablesFor) -> list[Caution]:
    zones = len(file.test_columns) - len(file.mic_columns)
    cautions = [Caution("zones", {"columns": zones})] if zones else []
    answering = (tables_for(column) for column in file.mic_columns.values())
    if any(table is not None and table.keys and not table.grounds for table in answering):
        cautions.append(Caution("no_grounds"))
    return cautions
