"""Answering a long file part by part, in limited memory, with the same result as `answering.answer_file`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import pyarrow as pa

from sirena.cli.answer_summary import AnswerSummary, TalliesOfParts, progress_of_isolates
from sirena.cli.answering import (
    FileQuestion,
    Output,
    isolates_to_answer,
    tell_about_facts,
    tell_about_rules,
    with_rules,
)
from sirena.engine import Engine
from sirena.panel.column_answers import ColumnTally, Told
from sirena.panel.file_answers import FileAnswers
from sirena.panel.frame import Isolates
from sirena.panel.placement import HeaderLayout
from sirena.stewardship.expert import RuleChanges
from sirena.whonet.csv_style import CsvStyle
from sirena.whonet.file import WhonetFile
from sirena.whonet.part_writing import writing_parts
from sirena.whonet.problems import Problem
from sirena.whonet.row_facts import facts_to_add
from sirena.whonet.spool import Spelling
from sirena.whonet.streamed import StreamedFile
from sirena.whonet.streamed_problems import Sightings, StreamedProblems


def answer_parts(
    read: StreamedFile, output: Output, question: FileQuestion, engine: Engine
) -> tuple[AnswerSummary, Sequence[Problem]]:
    """Answer a file that was read part by part, and write it; see `answering.answer`.

    Args:
        read: the file.
        output: the file to write, in a format that is written part by part.
        question: how to answer it.
        engine: engine that answers the parts.
    """
    isolates = isolates_to_answer(read.file, question)
    answers = FileAnswers.prepared(
        isolates,
        read.texts,
        question.tables_for,
        told=Told(output.basis, question.source),
        existing=output.existing,
        stamp=question.stamp,
    )
    answers = answers.with_marks(read.frames)
    facts = [fact.name for fact in facts_to_add(read.file)]
    work = _Work(read, isolates, answers, output, question, facts, engine)
    style = output.style_of(read.file)
    try:
        taken = work.write(style)
    except UnicodeEncodeError:  # a letter of the answers that the input's encoding does not hold
        assert style is not None
        taken = work.write(CsvStyle(style.separator, "utf-8-sig"))
    if question.rules is not None:
        tell_about_rules(taken.changes)
    if facts:
        tell_about_facts(facts)
    summary = AnswerSummary(rows=read.height, columns=len(isolates.test_columns), unknown_specimens=taken.unread)
    for tally in taken.tallies.of_columns():
        summary.add(tally)
    return summary, taken.problems.problems()


@dataclass(frozen=True)
class _Answered:
    """One part that was answered and encoded for the output."""

    spelt: Any
    rows: int
    tallies: tuple[ColumnTally, ...]
    unread: int
    sightings: Sightings
    changes: RuleChanges


@dataclass
class _Taken:
    """Sums and findings over all parts of a file."""

    problems: StreamedProblems
    tallies: TalliesOfParts
    changes: RuleChanges
    unread: int = 0


@dataclass(frozen=True)
class _Work:
    read: StreamedFile
    isolates: Isolates
    answers: FileAnswers
    output: Output
    question: FileQuestion
    facts: Sequence[str]
    engine: Engine

    def write(self, style: CsvStyle | None) -> _Taken:
        """Answer and write every part of the file.

        Raises:
            UnicodeEncodeError: the encoding of the style lacks a character; nothing is written.
        """
        taken = _Taken(StreamedProblems.of(self.read.file, self.read.texts), TalliesOfParts(), RuleChanges())
        with (
            writing_parts(self.output.path, style) as writer,
            progress_of_isolates(self.read.height) as advance,
        ):
            answer = _PartWork(
                self.read.file,
                self.read.spelling(),
                self.isolates,
                self.answers,
                self.output,
                self.question,
                self.facts,
                taken.problems,
                writer.spell,
            )
            parts = ((batch, number == 0) for number, batch in enumerate(self.read.batches()))
            for part in self.engine.in_turn(answer, parts):
                writer.append(part.spelt)
                taken.problems.add(part.sightings, part.rows)
                taken.tallies.add(part.tallies)
                taken.changes.merge(part.changes)
                taken.unread += part.unread
                advance(part.rows)
        return taken


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

    def __call__(self, rows: tuple[pa.RecordBatch, bool]) -> _Answered:
        """Return the answered part; `rows` are its rows, and True if it is the first part."""
        batch, first = rows
        frame = self.spelling.frame(pa.Table.from_batches([batch]))
        part = self.answers.of_part(frame)
        answered, changes = part.frame, RuleChanges()
        if self.question.rules is not None:
            isolates = replace(self.isolates, frame=_as_texts(frame))
            answered = with_rules(isolates, answered, self.output, HeaderLayout.LONG_NAMES, self.question, changes)
        if self.facts:
            answered = self._with_facts(frame, answered)
        sightings = self.problems.of_part(frame)
        spelt = self.spell(answered, first)
        return _Answered(spelt, frame.height, part.tallies, part.unread_specimens, sightings, changes)

    def _with_facts(self, frame: pl.DataFrame, answered: pl.DataFrame) -> pl.DataFrame:
        """Return a table with the facts from organisms' names before the last column, which names what answered."""
        part = replace(self.file, table=replace(self.file.table, frame=_as_texts(frame)))
        of_part = {fact.name: fact for fact in facts_to_add(part)}
        empty = pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
        facts = [of_part.get(name, empty.alias(name)) for name in self.facts]
        return answered.select(*answered.columns[:-1], *facts, answered.columns[-1])


def _as_texts(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(pl.Enum).cast(pl.String))
