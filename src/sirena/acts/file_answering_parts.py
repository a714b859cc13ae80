"""Answering a long file part by part, in limited memory, with the same result as of a file read as a whole."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import pyarrow as pa

from sirena.acts.file_answering import (
    AnsweredFile,
    AnswerProgress,
    AnswerUnit,
    Output,
    ProgressListener,
    isolates_to_answer,
    with_rules,
)
from sirena.acts.file_questions import FileQuestion
from sirena.engine import Engine
from sirena.panel.column_answers import ColumnTally, FurtherColumns
from sirena.panel.file_answers import FileAnswers
from sirena.panel.file_tallies import AnswerCounts, TalliesOfParts
from sirena.panel.frame import Isolates
from sirena.panel.placement import HeaderLayout
from sirena.stewardship.rule_changes import RuleChanges
from sirena.whonet.csv_style import CsvStyle
from sirena.whonet.file import WhonetFile
from sirena.whonet.part_writing import writing_parts
from sirena.whonet.row_facts import facts_to_add
from sirena.whonet.spool import Spelling
from sirena.whonet.streamed import StreamedFile
from sirena.whonet.streamed_problems import Sightings, StreamedProblems


def answer_parts(
    streamed_file: StreamedFile,
    output: Output,
    question: FileQuestion,
    engine: Engine,
    progress: ProgressListener,
) -> AnsweredFile:
    """Answer a file that was read part by part, and write it; see `file_answering.answer`.

    Args:
        streamed_file: the file.
        output: the file to write, in a format that is written part by part.
        question: how to answer it.
        engine: engine that answers the parts.
        progress: function that is told how many isolates are answered.
    """
    isolates = isolates_to_answer(streamed_file.file, question)
    answers = FileAnswers.prepare(
        isolates,
        streamed_file.texts,
        question.tables_for,
        further_columns=FurtherColumns(output.basis, question.source),
        existing=output.existing,
        stamp=question.full_stamp,
    )
    answers = answers.with_marks(streamed_file.frames)
    facts = [fact.name for fact in facts_to_add(streamed_file.file)]
    work = _Work(streamed_file, isolates, answers, output, question, facts, engine, progress)
    style = output.style_of(streamed_file.file)
    try:
        totals = work.write(style)
    except UnicodeEncodeError:  # a letter of the answers that the input's encoding does not hold
        assert style is not None
        totals = work.write(CsvStyle(style.separator, "utf-8-sig"))
    counts = AnswerCounts(
        rows=streamed_file.height, columns=len(isolates.test_columns), unknown_specimens=totals.unread_specimens
    )
    for tally in totals.tallies.of_columns():
        counts.add(tally)
    changes = totals.changes if question.rules is not None else None
    return AnsweredFile(streamed_file.file, counts, totals.problems.problems(), changes, facts)


@dataclass(frozen=True)
class _AnsweredPart:
    """One part that was answered and encoded for the output."""

    encoded_rows: Any
    rows: int
    tallies: tuple[ColumnTally, ...]
    unread_specimens: int
    sightings: Sightings
    changes: RuleChanges


@dataclass
class _Totals:
    """Sums and findings over all parts of a file."""

    problems: StreamedProblems
    tallies: TalliesOfParts
    changes: RuleChanges
    unread_specimens: int = 0


@dataclass(frozen=True)
class _Work:
    streamed_file: StreamedFile
    isolates: Isolates
    answers: FileAnswers
    output: Output
    question: FileQuestion
    facts: Sequence[str]
    engine: Engine
    progress: ProgressListener

    def write(self, style: CsvStyle | None) -> _Totals:
        """Answer and write every part of the file.

        Raises:
            UnicodeEncodeError: the encoding of the style lacks a character; nothing is written.
        """
        totals = _Totals(
            StreamedProblems.of(self.streamed_file.file, self.streamed_file.texts), TalliesOfParts(), RuleChanges()
        )
        with writing_parts(self.output.path, style) as writer:
            answer = _PartWork(
                self.streamed_file.file,
                self.streamed_file.spelling(),
                self.isolates,
                self.answers,
                self.output,
                self.question,
                self.facts,
                totals.problems,
                writer.spell,
            )
            done, total = 0, self.streamed_file.height
            self.progress(AnswerProgress(done, total, AnswerUnit.ISOLATES))
            parts = ((batch, number == 0) for number, batch in enumerate(self.streamed_file.batches()))
            for part in self.engine.in_turn(answer, parts):
                writer.append(part.encoded_rows)
                totals.problems.add(part.sightings, part.rows)
                totals.tallies.add(part.tallies)
                totals.changes.merge(part.changes)
                totals.unread_specimens += part.unread_specimens
                done += part.rows
                self.progress(AnswerProgress(done, total, AnswerUnit.ISOLATES))
        return totals


@dataclass(frozen=True)
class _PartWork:
    """Answers a part and encodes it for the output; runs in any process."""

    file: WhonetFile
    spelling: Spelling
    isolates: Isolates
    answers: FileAnswers
    output: Output
    question: FileQuestion
    facts: Sequence[str]
    problems: StreamedProblems
    spell: Callable[[pl.DataFrame, bool], Any]

    def __call__(self, rows: tuple[pa.RecordBatch, bool]) -> _AnsweredPart:
        """Return the answered part; `rows` are its rows, and True if it is the first part."""
        batch, first = rows
        frame = self.spelling.frame(pa.Table.from_batches([batch]))
        part = self.answers.of_part(frame)
        answer_table, changes = part.frame, RuleChanges()
        if self.question.rules is not None:
            isolates = replace(self.isolates, frame=_as_texts(frame))
            answer_table, changes = with_rules(
                isolates, answer_table, self.output, HeaderLayout.LONG_NAMES, self.question
            )
        if self.facts:
            answer_table = self._with_facts(frame, answer_table)
        sightings = self.problems.of_part(frame)
        encoded_rows = self.spell(answer_table, first)
        return _AnsweredPart(encoded_rows, frame.height, part.tallies, part.unread_specimens, sightings, changes)

    def _with_facts(self, frame: pl.DataFrame, answer_table: pl.DataFrame) -> pl.DataFrame:
        """Return a table with the facts from organisms' names before the last column, which names what answered."""
        part = replace(self.file, table=replace(self.file.table, frame=_as_texts(frame)))
        of_part = {fact.name: fact for fact in facts_to_add(part)}
        empty = pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
        facts = [of_part.get(name, empty.alias(name)) for name in self.facts]
        return answer_table.select(*answer_table.columns[:-1], *facts, answer_table.columns[-1])


def _as_texts(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(pl.Enum).cast(pl.String))
