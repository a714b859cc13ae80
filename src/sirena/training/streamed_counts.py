"""Counting a long file in parts, with the same cells as `HospitalCounts.of_file` of the whole file.

For counting, an engine receives only a part's columns of organism, specimen, tests and labels. For parsing before that,
it receives the whole part, patients' names included.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl
import pyarrow as pa

from sirena.engine import Engine
from sirena.training.cells import tally
from sirena.training.counts import HospitalCounts, add_tallies
from sirena.training.evidence import LabelSource, collect_evidence
from sirena.whonet.file import WhonetFile
from sirena.whonet.problems import Problem
from sirena.whonet.spool import Spelling
from sirena.whonet.streamed import StreamedFile
from sirena.whonet.streamed_problems import Sightings, StreamedProblems


def count_streamed(streamed_file: StreamedFile, seed: int, engine: Engine) -> tuple[HospitalCounts, Sequence[Problem]]:
    """Return the counts of a file that was read in parts, and the problems in it.

    Args:
        streamed_file: the file.
        seed: seed by which the isolates are divided into parts.
        engine: engine that counts the parts.

    Raises:
        NoOrganismColumnError: no column of the file names the organism.
    """
    streamed_file.file.require_organism()
    columns = _columns(streamed_file.file)
    reduced_file = replace(
        streamed_file.file, table=replace(streamed_file.file.table, frame=streamed_file.file.frame.select(columns))
    )
    problems = StreamedProblems.of(reduced_file, streamed_file.texts)
    count = _PartCount(reduced_file, streamed_file.spelling(columns), problems, seed)
    tallies = []
    for part in engine.in_turn(count, _with_places(streamed_file.batches(columns))):
        problems.add(part.sightings, part.rows)
        tallies.append(part.tally)
    return HospitalCounts(
        tuple(streamed_file.file.mic_columns.values()), add_tallies(tallies), seed
    ), problems.problems()


@dataclass(frozen=True)
class _CountedPart:
    tally: pl.DataFrame
    sightings: Sightings
    rows: int


@dataclass(frozen=True)
class _PartCount:
    """Counts one part of a file, in any process."""

    file: WhonetFile
    """The file, reduced to the columns that are counted."""
    spelling: Spelling
    problems: StreamedProblems
    seed: int

    def __call__(self, rows: tuple[pa.RecordBatch, int]) -> _CountedPart:
        """Return the counts of a part, given as its rows and the number of its first row in the file."""
        batch, first_row = rows
        frame = self.spelling.frame(pa.Table.from_batches([batch]))
        part = replace(self.file, table=replace(self.file.table, frame=frame))
        evidence = collect_evidence(part, labels=LabelSource.FILE, first_isolate=first_row)
        return _CountedPart(tally(evidence.rows, self.seed), self.problems.of_part(frame), frame.height)


def _columns(file: WhonetFile) -> list[str]:
    tests = file.mic_columns
    labels = (of.get(test) for test in tests for of in (file.category_columns, file.label_columns))
    needed_headers = {file.organism_column, file.specimen_column, *tests, *labels}
    return [header for header in file.frame.columns if header in needed_headers]


def _with_places(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[pa.RecordBatch, int]]:
    first_row = 0
    for batch in batches:
        yield batch, first_row
        first_row += batch.num_rows
