"""Reading and counting the files of a training one after another, so that one at a time is in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

from sirena.acts.s3_files import local_copy
from sirena.domain.errors import UsageError
from sirena.engine import Engine
from sirena.engine.local import LOCAL
from sirena.training.counts import HospitalCounts
from sirena.training.shared_cells import is_cells_file, read_cells
from sirena.training.streamed_counts import count_streamed
from sirena.whonet.errors import as_given
from sirena.whonet.file import WhonetFile
from sirena.whonet.mapping import LaboratoryMapping
from sirena.whonet.privacy import without_patients
from sirena.whonet.problems import Problem
from sirena.whonet.reading import read_file
from sirena.whonet.streamed import shortest_for, streamed


@dataclass(frozen=True)
class CountedIsolates:
    """A file of isolates that was counted."""

    file: WhonetFile
    """The file; of a long one without its rows."""
    counts: HospitalCounts
    problems: Sequence[Problem]
    """Cells that are no readable MICs, by column."""
    in_parts: bool
    """True if the file was read part by part; False if it was read as a whole, by one machine."""


def count_files(
    files: Sequence[Path],
    seed: int,
    *,
    sheet: str | None,
    mapping: LaboratoryMapping | None,
    engine: Engine = LOCAL,
    shortest: int | None = None,
    part: int = 0,
    report: Callable[[Path, CountedIsolates], None] = lambda _path, _counted: None,
) -> dict[str, HospitalCounts]:
    """Return the counts of each file by the file's name.

    Args:
        files: files of isolates, or files of cells written by `sirena cells`, on this machine or in S3.
        seed: seed by which the isolates are divided into training parts.
        sheet: name of a spreadsheet's sheet.
        mapping: what the laboratories say about their columns.
        engine: engine that parses and counts the parts of a file.
        shortest: size in bytes from which a file is read part by part; None to choose.
        part: size of a part in bytes, or in rows; 0 for the usual size.
        report: function that is told of each file of isolates when it is counted.

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
                counted = _count_isolates(path, seed, sheet, mapping, engine, shortest, part)
                report(file, counted)
                counts = counted.counts
        for other_name, other in hospitals.items():
            if counts.tally.height and counts.tally.equals(other.tally):
                raise UsageError(
                    f"{name} and {other_name} hold the same results", hint="give each hospital's results once"
                )
        hospitals[name] = counts
    return hospitals


def _count_isolates(
    path: Path,
    seed: int,
    sheet: str | None,
    mapping: LaboratoryMapping | None,
    engine: Engine,
    shortest: int | None,
    part: int,
) -> CountedIsolates:
    if sheet is None:
        least = shortest_for(engine) if shortest is None else shortest
        with streamed(path, Path(gettempdir()), mapping, shortest=least, part=part, engine=engine) as parts:
            if parts is not None:
                return CountedIsolates(parts.file, *count_streamed(parts, seed, engine), in_parts=True)
    isolates = read_file(path, sheet=sheet, mapping=mapping)
    counts = HospitalCounts.of_file(without_patients(isolates), seed)
    return CountedIsolates(isolates, counts, isolates.problems, in_parts=False)
