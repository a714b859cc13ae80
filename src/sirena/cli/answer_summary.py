"""The progress bar and the summary of answering a file, on standard error."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sirena.cli.voice import in_words, say, speaks_spanish

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sirena.domain.category import Reason
    from sirena.domain.ground import Mark
    from sirena.panel.column_answers import ColumnTally


class AnswerSummary:
    """Counts of the answers, added up column by column, with a progress bar."""

    def __init__(self, *, rows: int, columns: int, unknown_specimens: int = 0) -> None:
        """Create the summary; nothing is counted yet.

        Args:
            rows: isolates of the file.
            columns: number of MIC columns to be answered.
            unknown_specimens: number of rows whose specimen names no known site.
        """
        self._unknown_specimens = unknown_specimens
        self._marks: dict[Mark, int] = {}
        self._without_model: dict[str, int] = {}
        self._rows = rows
        self._columns = columns
        self._counts: NDArray[np.int64] | None = None
        self._progress = _progress(in_words("columns"))
        self._task = self._progress.add_task("", total=columns)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def add(self, tally: "ColumnTally") -> None:
        """Add the answers of one test column."""
        from sirena.domain.category import Category, Reason
        from sirena.domain.truth_table import answer_code

        self._counts = tally.counts if self._counts is None else self._counts + tally.counts
        cells_without_model = int(tally.counts[answer_code(Category.NI, Reason.NO_MODEL)])
        if cells_without_model:
            self._without_model[tally.column] = cells_without_model
        for mark, count in tally.marks.items():
            self._marks[mark] = self._marks.get(mark, 0) + count
        self._progress.advance(self._task)

    def tell(self) -> None:
        """Print counts of isolates, results, categories and reasons for NI, and what unknown body sites leave open."""
        from sirena.domain.category import Category
        from sirena.domain.truth_table import ANSWERS, NOT_ASKED

        counts = [] if self._counts is None else self._counts.tolist()
        answer_counts = [
            (answer, count)
            for code, (answer, count) in enumerate(zip(ANSWERS, counts, strict=False))
            if count and code != NOT_ASKED and answer is not None
        ]
        results = sum(count for _, count in answer_counts)
        categories: dict[Category, int] = {}
        for answer, count in answer_counts:
            categories[answer.category] = categories.get(answer.category, 0) + count
        category_counts = "  ".join(f"{category} {count:,}" for category, count in categories.items())
        _echo(f"{self._rows:,} isolates, {self._columns} MIC columns, {results:,} results  {category_counts}".rstrip())
        for answer, count in sorted(answer_counts, key=lambda pair: -pair[1]):
            if answer.reason is not None:
                typer.echo(
                    f"  NI {answer.reason.value}: {in_words(f'{count:,}')}  {_sentence(answer.reason)}", err=True
                )
        if self._without_model:
            columns = sorted(self._without_model.items(), key=lambda pair: -pair[1])
            _echo(f"  columns without a model: {', '.join(f'{column} {count:,}' for column, count in columns)}")
        for mark, count in self._marks.items():
            if count:
                _echo(f"  marked {mark.value}: {count:,}  The site is unknown: {_words(mark)}.")
        if self._unknown_specimens:
            _echo(
                f"  unknown specimens: {self._unknown_specimens:,} rows  Their site of infection counts as unknown; "
                "`sirena inspect` lists them."
            )


class TalliesOfParts:
    """Counts of the answers in each column, added up over the parts of a file."""

    def __init__(self) -> None:
        """Create the sum; nothing is counted yet."""
        self._tallies: dict[str, ColumnTally] = {}

    def add(self, tallies: "Iterable[ColumnTally]") -> None:
        """Add the tallies of one part of the file, one for each column."""
        for tally in tallies:
            before = self._tallies.get(tally.column)
            self._tallies[tally.column] = tally if before is None else before.with_part(tally)

    def of_columns(self) -> "list[ColumnTally]":
        """Return the tally of each column of the whole file."""
        return list(self._tallies.values())


@contextmanager
def progress_of(isolates: int) -> "Iterator[Callable[[int], None]]":
    """Show a progress bar for answering a file; yield a function to call with the number of isolates just answered."""
    with _progress(in_words("isolates")) as progress:
        task = progress.add_task("", total=isolates)
        yield lambda more: progress.advance(task, more)


def _progress(unit: str) -> Progress:
    return Progress(
        TextColumn(in_words("answering")),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _sentence(reason: "Reason") -> str:
    return reason.spanish if speaks_spanish() else reason.sentence


def _words(mark: "Mark") -> str:
    return mark.spanish if speaks_spanish() else mark.english


def _echo(text: str) -> None:
    say(text, err=True)
