"""Reading and counting the files of a training one after another, and auditing them together."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import Final

import polars as pl

from sirena.cli.answering import shortest_in_parts, tell, tell_about_problems, tell_if_whole
from sirena.cli.label_audit import audit_section
from sirena.cli.s3_files import local_copy
from sirena.cli.sections import Section
from sirena.domain.errors import UsageError
from sirena.domain.truth_table import TruthTable
from sirena.engine import Engine
from sirena.engine.local import LOCAL
from sirena.training.counts import HospitalCounts
from sirena.training.hospitals import compare_hospitals
from sirena.training.label_audit import audit_counts
from sirena.training.shared_cells import is_cells_file, read_cells
from sirena.training.streamed_counts import count_streamed
from sirena.whonet.errors import as_given
from sirena.whonet.file import WhonetFile
from sirena.whonet.mapping import LaboratoryMapping
from sirena.whonet.privacy import without_patients
from sirena.whonet.problems import Problem
from sirena.whonet.reading import read_file
from sirena.whonet.streamed import streamed
from sirena.whonet.writing import write_file

_SHOWN: Final = 5


def count_files(
    files: Sequence[Path],
    seed: int,
    *,
    sheet: str | None,
    mapping: LaboratoryMapping | None,
    engine: Engine = LOCAL,
    shortest: int | None = None,
    part: int = 0,
) -> dict[str, HospitalCounts]:
    """Return the counts of each file by the file's name; files are read one after another, one in memory at a time.

    Args:
        files: files of isolates, or files of cells written by `sirena cells`.
        seed: seed by which the isolates are divided into training parts.
        sheet: name of a spreadsheet's sheet.
        mapping: what the laboratories say about their columns.
        engine: engine that parses and counts the parts of a file.
        shortest: size in bytes from which a file is read part by part; None to choose.
        part: size of a part in bytes, or in rows; 0 for the usual size.

    Raises:
        UsageError: two files hold the same results, or the isolates of cells were divided by another seed.
    """
    hospitals: dict[str, HospitalCounts] = {}
    for file in files:
        name = as_given(file)
        with local_copy(file) as path:
            if is_cells_file(path):
                counts = read_cells(path)
                if counts.seed != seed:
                    raise UsageError(
                        f"{name}: its isolates were split with seed {counts.seed}, this training uses {seed}",
                        hint=f"give --seed {counts.seed}, or let the hospital write the cells again with --seed {seed}",
                    )
            else:
                isolates, counts, problems = _count_file(path, file, seed, sheet, mapping, engine, shortest, part)
                if len(files) > 1 and problems:
                    tell(f"{name}:")
                tell_about_problems(isolates, problems)
        for other_name, other in hospitals.items():
            if counts.tally.height and counts.tally.equals(other.tally):
                raise UsageError(
                    f"{name} and {other_name} hold the same results", hint="give each hospital's results once"
                )
        hospitals[name] = counts
    return hospitals


def _count_file(
    path: Path,
    original_path: Path,
    seed: int,
    sheet: str | None,
    mapping: LaboratoryMapping | None,
    engine: Engine,
    shortest: int | None,
    part: int,
) -> tuple[WhonetFile, HospitalCounts, Sequence[Problem]]:
    if sheet is None:
        least = shortest_in_parts(engine) if shortest is None else shortest
        with streamed(path, Path(gettempdir()), mapping, shortest=least, part=part, engine=engine) as parts:
            if parts is not None:
                return (parts.file, *count_streamed(parts, seed, engine))
    tell_if_whole(original_path, engine)
    isolates = read_file(path, sheet=sheet, mapping=mapping)
    return isolates, HospitalCounts.of_file(without_patients(isolates), seed), isolates.problems


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
