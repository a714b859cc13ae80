"""Counting a long file part by part: the same cells as `HospitalCounts.of_file` counts of the whole.

Only the organism, the specimen, tests and labels are looked at: to be counted, a part is sent with these columns alone.
To be parsed before, a part is sent with all its columns, names of patients among them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl
import pyarrow as pa

from sirena.engine import Engine
from sirena.training.cells import tally
from sirena.training.counts import HospitalCounts, summed
from sirena.training.evidence import LabelSource, collect_evidence
from sirena.whonet.file import WhonetFile
from sirena.whonet.problems import Problem
from sirena.whonet.spool import Spelling
from sirena.whonet.streamed import StreamedFile
from sirena.whonet.streamed_problems import Sightings, StreamedProblems


def count_streamed(read: StreamedFile, seed: int, engine: Engine) -> tuple[HospitalCounts, Sequence[Problem]]:
    """Count a file that was read part by part; return what is wrong in it too.

    Args:
        read: the file.
        seed: deals the isolates into parts.
        engine: counts the parts.

    Raises:
        NoOrganismColumnError: the file names no organisms.
    """
    read.file.require_organism()
    columns = _columns(read.file)
    counted = replace(read.file, table=replace(read.file.table, frame=read.file.frame.select(columns)))
    problems = StreamedProblems.of(counted, read.texts)
    count = _PartCount(counted, read.spelling(columns), problems, seed)
    tallies = []
    for part in engine.in_turn(count, _with_places(read.batches(columns))):
        problems.add(part.sightings, part.rows)
        tallies.append(part.tally)
    return HospitalCounts(tuple(read.file.mic_columns.values()), summed(tallies), seed), problems.problems()


@dataclass(frozen=True)
class _CountedPart:
    tally: pl.DataFrame
    sightings: Sightings
    rows: int


@dataclass(frozen=True)
class _PartCount:
    """Counts a part, in any process."""

    file: WhonetFile
    """Of the columns that are counted."""
    spelling: Spelling
    problems: StreamedProblems
    seed: int

    def __call__(self, rows: tuple[pa.RecordBatch, int]) -> _CountedPart:
        """Return the part's cells; the rows come with the place of their first in the file."""
        batch, first = rows
        frame = self.spelling.frame(pa.Table.from_batches([batch]))
        part = replace(self.file, table=replace(self.file.table, frame=frame))
        evidence = collect_evidence(part, labels=LabelSource.FILE, first=first)
        return _CountedPart(tally(evidence.rows, self.seed), self.problems.of_part(frame), frame.height)


def _columns(file: WhonetFile) -> list[str]:
    tests = file.mic_columns
    labels = (of.get(test) for test in tests for of in (file.category_columns, file.label_columns))
    wanted = {file.organism_column, file.specimen_column, *tests, *labels}
    return [header for header in file.frame.columns if header in wanted]


def _with_places(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[pa.RecordBatch, int]]:
    first = 0
    for batch in batches:
        yield batch, first
        first += batch.num_rows
