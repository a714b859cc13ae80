"""Answering a whole file: reading it, answering every MIC column, applying expert rules, and writing it.

A long file is answered part by part, with the same result; see `file_answering_parts`. Nothing is printed: what there
is to tell about the answers is in `AnsweredFile`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from sirena.acts.file_questions import FileQuestion
from sirena.acts.s3_files import check_output, destination, folder_of_rows, local_copy, refuse_same_file
from sirena.domain.errors import SirenaError, UsageError
from sirena.domain.language import Language
from sirena.engine import Engine
from sirena.engine.local import LOCAL
from sirena.panel.column_answers import ColumnTally
from sirena.panel.file_tallies import GROUNDS_SHEET, AnswerCounts, GroundSheet
from sirena.panel.frame import Isolates, interpret_frame
from sirena.panel.placement import Existing, HeaderLayout, place_categories
from sirena.whonet.csv_style import STYLES, CsvStyle
from sirena.whonet.file import WhonetFile
from sirena.whonet.mapping import load_mapping
from sirena.whonet.part_writing import is_written_in_parts
from sirena.whonet.problems import Problem
from sirena.whonet.reading import read_file
from sirena.whonet.row_facts import facts_to_add
from sirena.whonet.streamed import StreamedFile, shortest_for, streamed
from sirena.whonet.writing import DBASE_SUFFIXES, find_suffix, write_file

if TYPE_CHECKING:
    from sirena.stewardship.rule_changes import RuleChanges


class NoMicColumnError(SirenaError):
    """The file has no MIC column."""

    code = "nothing_to_answer"


@dataclass(frozen=True)
class Output:
    """The file to write, and which answer columns it gets."""

    path: Path
    """The file, on this machine or in S3; ``-`` is standard output."""
    existing: Existing = Existing.REFUSE
    basis: Language | None = None
    """Language of the grounds written next to the categories; None to write no grounds."""
    csv_style: str = "keep"
    """Style of a ``.csv``: a name in `csv_style.STYLES`, or ``keep`` for that of the input."""

    def check(self, source: Path) -> None:
        """Check that the file can be written, before any work is done, or raise an error.

        Args:
            source: the file that is read, which is never replaced.

        Raises:
            UsageError: style or suffix are unknown, or the file is the source.
            UnavailableFileError: the folder is missing or cannot be written, or S3 refuses to store the file.
        """
        if self.csv_style not in STYLES:
            raise UsageError("--csv-style knows no such style", hint=f"one of {', '.join(STYLES)}")
        find_suffix(self.path)
        refuse_same_file(source, self.path)
        check_output(self.path)

    def style_of(self, file: WhonetFile) -> CsvStyle | None:
        """Return the style of a ``.csv`` to write, given the file that was read."""
        return STYLES[self.csv_style] if self.csv_style != "keep" else file.table.csv_style


class AnswerUnit(StrEnum):
    """What the progress of answering a file is counted in."""

    COLUMNS = "columns"
    ISOLATES = "isolates"


@dataclass(frozen=True)
class AnswerProgress:
    """How much of a file is answered: a whole file column by column, a long one isolate by isolate."""

    done: int
    total: int
    unit: AnswerUnit


ProgressListener = Callable[[AnswerProgress], None]
"""Function that is told how much of a file is answered: at first nothing, at last all."""


@dataclass(frozen=True)
class FileToAnswer:
    """A file that was opened for answering."""

    file: WhonetFile
    """The file; of a long file only the roles and texts of its columns, without rows."""
    parts: StreamedFile | None = None
    """Rows of a long file, part by part; None for any other."""
    engine: Engine = LOCAL
    """Engine that answers the parts."""


@dataclass(frozen=True)
class AnsweredFile:
    """What there is to tell about a file after its answers were written."""

    file: WhonetFile
    """The file that was read; of a long one without its rows."""
    counts: AnswerCounts
    problems: Sequence[Problem]
    """Cells that are no readable MICs, by column."""
    rule_changes: "RuleChanges | None"
    """Number of results that each expert rule changed; None if no rules were applied."""
    fact_columns: Sequence[str]
    """Columns made from resistance mechanisms that are written in organisms' names."""


def answer_file(
    path: Path,
    output: Output,
    question_for: Callable[[WhonetFile], FileQuestion],
    *,
    sheet: str | None = None,
    mapping: Path | None = None,
    engine: Engine = LOCAL,
) -> AnsweredFile:
    """Answer every MIC column of a file and write it, in one call.

    Args:
        path: the file, on this machine or in S3 (``s3://bucket/key``); ``-`` is standard input.
        output: the file to write.
        question_for: function that returns how to answer the file that was read, such as one that calls
            `FileQuestion.by_editions` or `FileQuestion.by_release`.
        sheet: name of a spreadsheet's sheet.
        mapping: file in which the laboratory says what its columns mean.
        engine: engine that parses and answers the parts of a long file.

    Raises:
        SirenaError: the file cannot be read, has no organism column or no MIC column, or the output cannot be written.
        UsageError: the file has a category column already and `output.existing` refuses that, or the output is the
            file itself.
    """
    output.check(path)
    with open_for_answers(path, output, sheet, mapping, engine=engine) as opened:
        return answer(opened, output, question_for(opened.file))


@contextmanager
def open_for_answers(
    path: Path,
    output: Output,
    sheet: str | None = None,
    mapping: Path | None = None,
    *,
    shortest: int | None = None,
    part: int = 0,
    engine: Engine = LOCAL,
) -> Iterator[FileToAnswer]:
    """Open a file for answering; a long one is read part by part, if its format and that of the output allow it.

    Args:
        path: the file; ``-`` is standard input.
        output: file for the answers.
        sheet: name of a spreadsheet's sheet.
        mapping: file in which the laboratory says what its columns mean.
        shortest: size in bytes from which a file is read part by part; None to choose: on a Ray cluster every file is.
        part: size of a part in bytes, or in rows; 0 for the usual size.
        engine: engine that parses and answers the parts.

    Raises:
        SirenaError: the file cannot be read.
    """
    laboratory_mapping = load_mapping(mapping) if mapping else None
    with local_copy(path) as here:
        if sheet is None and is_written_in_parts(output.path):
            least, folder = shortest_for(engine) if shortest is None else shortest, folder_of_rows(output.path)
            with streamed(here, folder, laboratory_mapping, shortest=least, part=part, engine=engine) as parts:
                if parts is not None:
                    yield FileToAnswer(parts.file, parts, engine)
                    return
        yield FileToAnswer(read_file(here, sheet=sheet, mapping=laboratory_mapping))


def answer(
    opened: FileToAnswer, output: Output, question: FileQuestion, progress: ProgressListener = lambda _: None
) -> AnsweredFile:
    """Answer every MIC column of a file that was opened, and write it.

    Args:
        opened: the file.
        output: the file to write.
        question: how to answer it.
        progress: function that is told how much is answered.

    Raises:
        SirenaError: the file has no organism column or no MIC column, or the output cannot be written.
        UsageError: the file has a category column already, and `output.existing` refuses that.
    """
    with destination(output.path) as place:
        here = replace(output, path=place)
        if opened.parts is None:
            return _answer_whole(opened.file, here, question, progress)
        from sirena.acts.file_answering_parts import answer_parts

        return answer_parts(opened.parts, here, question, opened.engine, progress)


def isolates_to_answer(file: WhonetFile, question: FileQuestion) -> Isolates:
    """Return the isolates of a file with their test columns.

    Raises:
        SirenaError: the file has no organism column, or no MIC column.
    """
    isolates = Isolates.of_file(file, zones=question.zones, site=question.site)
    if not file.mic_columns:
        raise NoMicColumnError(
            f"{file.path}: no column holds MICs", hint="MIC columns are named like AMK_NM; `sirena inspect` shows them"
        )
    return isolates


def _answer_whole(file: WhonetFile, output: Output, question: FileQuestion, progress: ProgressListener) -> AnsweredFile:
    """Answer a file that was read as a whole, and write it."""
    isolates = isolates_to_answer(file, question)
    grounds = GroundSheet()
    columns = len(isolates.test_columns)
    unread_specimens = len(isolates.row_sites().unread_rows)
    counts = AnswerCounts(rows=file.frame.height, columns=columns, unknown_specimens=unread_specimens)
    progress(AnswerProgress(0, columns, AnswerUnit.COLUMNS))
    answered_columns = 0

    def take(tally: ColumnTally) -> None:
        nonlocal answered_columns
        answered_columns += 1
        counts.add(tally)
        grounds.add(tally)
        progress(AnswerProgress(answered_columns, columns, AnswerUnit.COLUMNS))

    layout = HeaderLayout.TEN_LETTERS if find_suffix(output.path) in DBASE_SUFFIXES else HeaderLayout.LONG_NAMES
    answer_table = interpret_frame(
        isolates,
        question.tables_for,
        basis=output.basis,
        existing=output.existing,
        layout=layout,
        source=question.source,
        stamp=question.full_stamp,
        progress=take,
    )
    changes = None
    if question.rules is not None:
        answer_table, changes = with_rules(isolates, answer_table, output, layout, question)
    texts = answer_table.with_columns(pl.col(pl.Enum).cast(pl.String))
    facts = facts_to_add(file)
    if facts:
        # what they were answered by stays the last
        texts = texts.select(*texts.columns[:-1], *facts, texts.columns[-1])
    write_file(texts, output.path, output.style_of(file), further={GROUNDS_SHEET: grounds.table()})
    return AnsweredFile(file, counts, file.problems, changes, [fact.name for fact in facts])


def with_rules(
    isolates: Isolates, answer_table: pl.DataFrame, output: Output, layout: HeaderLayout, question: FileQuestion
) -> "tuple[pl.DataFrame, RuleChanges]":
    """Return a table with the reported categories added by expert rules, and the number of results they changed."""
    # a file without expert rules does not wait for these
    from sirena.stewardship.expert import apply_rules, place_reported
    from sirena.stewardship.isolate_facts import IsolateFacts
    from sirena.stewardship.rule_changes import RuleChanges

    placements, _ = place_categories(
        isolates.frame.columns,
        isolates.test_columns,
        isolates.category_columns,
        existing=output.existing,
        basis=output.basis is not None,
        layout=layout,
    )
    facts = IsolateFacts.of_answered(isolates, answer_table, placements, question.tables_for)
    reported_categories = apply_rules(facts, question.rules.rules if question.rules else ())
    changes = RuleChanges()
    changes.add(reported_categories)
    return place_reported(answer_table, placements, reported_categories, output.existing), changes
