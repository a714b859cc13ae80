"""What is told of the files of a training: problems of each, the label audit of all, and where they differ."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from sirena.acts.hospital_counting import CountedIsolates
from sirena.cli.file_remarks import tell, tell_about_problems, tell_if_whole
from sirena.cli.label_audit import audit_section
from sirena.cli.sections import Section
from sirena.domain.truth_table import TruthTable
from sirena.engine import Engine
from sirena.engine.local import LOCAL
from sirena.training.counts import HospitalCounts
from sirena.training.hospitals import compare_hospitals
from sirena.training.label_audit import audit_counts
from sirena.whonet.errors import as_given
from sirena.whonet.writing import write_file

_SHOWN: Final = 5


def problem_reporter(files: int, engine: Engine = LOCAL) -> Callable[[Path, CountedIsolates], None]:
    """Return a function that prints the problems of a file of isolates, under its name if there are several files.

    Args:
        files: number of files.
        engine: engine that was to count the files.
    """

    def report(path: Path, counted: CountedIsolates) -> None:
        if not counted.in_parts:
            tell_if_whole(path, engine)
        if files > 1 and counted.problems:
            tell(f"{as_given(path)}:")
        tell_about_problems(counted.file, counted.problems)

    return report


def audit_sections(
    hospitals: Mapping[str, HospitalCounts],
    counts: pl.DataFrame,
    reference: Mapping[str, TruthTable],
    edition: str,
    audit: Path | None,
) -> Iterator[Section]:
    """Yield sections with the label audit of all files and the differences of hospitals; write the audit to `audit`.

    Args:
        hospitals: counts from `count_files`.
        counts: cells of all hospitals, from `counts.pool_hospitals`.
        reference: truth tables of guideline editions by test column.
        edition: names of the guideline editions.
        audit: file to which all contradicting cells are written; None to write no file.
    """
    if counts.is_empty():
        if audit is not None:
            tell(f"no label audit written to {audit}: the files hold no labels")
        return
    cells = audit_counts(counts, reference)
    if audit is not None:
        write_file(cells, audit)
    yield audit_section(cells, edition, audit)
    if len(hospitals) > 1:
        yield _differences(hospitals)


def _differences(hospitals: Mapping[str, HospitalCounts]) -> Section:
    cells = compare_hospitals(hospitals)
    names = list(hospitals)
    page = cells.select("column", "organism", "mic", *names).head(_SHOWN)
    rows = [tuple("" if cell is None else str(cell) for cell in row) for row in page.rows()]
    note = f"{cells.height:,} cells are labelled differently by the files; label and number of results of each."
    return Section("Between files", rows, ("column", "organism", "MIC", *names), note)
