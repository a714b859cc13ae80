"""What commands tell about a file of isolates on standard error, since standard output may carry the file.

A remark on what was read, a progress bar while it is answered, and counts of the answers.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from sirena.cli.voice import in_words, say, speaks_spanish
from sirena.domain.errors import UsageError
from sirena.engine import Engine
from sirena.engine.local import LOCAL
from sirena.whonet.errors import as_given

if TYPE_CHECKING:
    from sirena.acts.file_answering import AnsweredFile, AnswerProgress, ProgressListener
    from sirena.domain.category import Reason
    from sirena.domain.ground import Mark
    from sirena.domain.site import Site
    from sirena.panel.file_tallies import AnswerCounts
    from sirena.whonet.file import WhonetFile
    from sirena.whonet.problems import Problem

_SHOWN: Final = 8
_PROBLEMS_SHOWN: Final = 10


def tell(text: str) -> None:
    """Print a text on standard error, since standard output may carry the file."""
    say(text, err=True)


def tell_about_zones(file: "WhonetFile") -> None:
    """Print which columns hold zone diameters and are left unchanged."""
    zones = [header for header, column in file.test_columns.items() if not column.is_mic]
    if zones:
        tell(f"not answered, zone diameters in mm are no MICs: {list_names(zones)}")


def tell_about_problems(file: "WhonetFile", problems: "Sequence[Problem] | None" = None) -> None:
    """Print, by column and row, the cells that are no readable MICs, and how other systems' headers were understood.

    Args:
        file: the file that was read.
        problems: problems of the file; None to find them.
    """
    _tell_about_headers(file)
    problems = file.problems if problems is None else problems
    for problem in problems[:_PROBLEMS_SHOWN]:
        tell(f"  {problem}")
    if len(problems) > _PROBLEMS_SHOWN:
        tell(f"  and {len(problems) - _PROBLEMS_SHOWN} more; `sirena inspect` lists all")


def _tell_about_headers(file: "WhonetFile") -> None:
    mic_headers = [reading.header for reading in file.header_readings if reading.header in file.mic_columns]
    left_out = [reading.header for reading in file.header_readings if reading.content == "left out"]
    signs = [reading.header for reading in file.header_readings if reading.content == "positive or negative"]
    if mic_headers:
        names = list_names(mic_headers)
        tell(f"headers of another system read as MIC columns: {names}; `sirena inspect` shows as what and why")
    if left_out:
        tell(f"left out, because it is not clear what they hold: {list_names(left_out)}; a --mapping file can say it")
    if signs:
        tell(f"not answered, positive or negative results are no MICs: {list_names(signs)}")


def list_names(names: Sequence[str]) -> str:
    """Return a text with the first names in a list, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def read_site(text: str) -> "Site | None":
    """Return the body site that ``--site`` names; None if the specimen of each row is to decide.

    Raises:
        UsageError: there is no such body site.
    """
    from sirena.panel.sites import chosen_site

    try:
        return chosen_site(text)
    except ValueError as error:
        raise UsageError("--site names no site", hint=str(error).removeprefix("is no site; ")) from None


def tell_if_whole(path: Path, engine: Engine) -> None:
    """Print that a Ray cluster is not used, if there is one, because the file is read as a whole."""
    if engine is not LOCAL:
        tell(
            f"{as_given(path)}: this file cannot be read and written in parts, so one machine works on it, "
            "and not the cluster"
        )


def tell_if_unreadable(file: "WhonetFile") -> None:
    """Print a warning if a file that can be answered holds no readable MIC."""
    if file.organism_column is not None and file.mic_columns and not file.holds_mics:
        tell("this file holds no readable MIC, so every answer is NI; `sirena inspect` shows what it holds")


@contextmanager
def progress_bar() -> "Iterator[ProgressListener]":
    """Yield a function that shows how much of a file is answered, in a bar if a person is watching."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn(in_words("answering")), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}")
    bar = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)
    units = {"columns": in_words("columns"), "isolates": in_words("isolates")}

    def show(progress: "AnswerProgress") -> None:
        if not progress.done:
            for task in bar.task_ids:  # a long file is begun again with a letter that its encoding lacks
                bar.remove_task(task)
            bar.add_task(units[progress.unit], total=progress.total)
            bar.start()
        bar.update(bar.task_ids[0], completed=progress.done)
        if progress.done == progress.total:  # what is written then may stand on the same terminal
            bar.stop()

    try:
        yield show
    finally:
        bar.stop()


def tell_about_answers(answered: "AnsweredFile") -> None:
    """Print what expert rules changed, and which columns were made from mechanisms in organisms' names."""
    if answered.rule_changes is not None:
        changes = ", ".join(f"{code} {count:,}" for code, count in answered.rule_changes.counts().items())
        tell(f"expert rules changed what is reported: {changes or 'nothing'}")
    if answered.fact_columns:
        tell(f"mechanisms written in organisms' names are columns: {list_names(answered.fact_columns)}")


def tell_counts(counts: "AnswerCounts") -> None:
    """Print counts of isolates, results, categories and reasons for NI, and what unknown body sites leave open."""
    category_counts = "  ".join(f"{category} {count:,}" for category, count in counts.categories.items())
    results = counts.results
    tell(f"{counts.rows:,} isolates, {counts.columns} MIC columns, {results:,} results  {category_counts}".rstrip())
    for answer, count in sorted(counts.answers, key=lambda pair: -pair[1]):
        if answer.reason is not None:
            typer.echo(f"  NI {answer.reason.value}: {in_words(f'{count:,}')}  {_sentence(answer.reason)}", err=True)
    if counts.without_model:
        columns = sorted(counts.without_model.items(), key=lambda pair: -pair[1])
        tell(f"  columns without a model: {', '.join(f'{column} {count:,}' for column, count in columns)}")
    for mark, count in counts.marks.items():
        if count:
            tell(f"  marked {mark.value}: {count:,}  The site is unknown: {_words(mark)}.")
    if counts.unknown_specimens:
        tell(
            f"  unknown specimens: {counts.unknown_specimens:,} rows  Their site of infection counts as unknown; "
            "`sirena inspect` lists them."
        )


def _sentence(reason: "Reason") -> str:
    return reason.spanish if speaks_spanish() else reason.sentence


def _words(mark: "Mark") -> str:
    return mark.spanish if speaks_spanish() else mark.english
