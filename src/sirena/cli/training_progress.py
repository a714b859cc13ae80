"""The progress of `sirena train` and `sirena demo`, and the table at their end."""

from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from sirena.certification.comparison import Kind
from sirena.cli.voice import in_words
from sirena.registry.training_session import TrainingOutcome

_HEADINGS: Final = ("model", "#version", "labels", "#organisms", "#asked", "#VME", "#differing", "monotone", "remark")
"""Headings of the table; columns whose heading begins with ``#`` are right-aligned."""
_LEGEND: Final = (
    "asked: questions to the model (organism, site, MIC, comparator); VME: answered S where the edition says R;\n"
    "differing: all that the edition answers otherwise; `sirena certify MODEL` names them, the gravest first."
)


class TrainingProgress:
    """Two progress bars on standard error, of models trained and of models registered; called after each step."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description:12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, TextColumn("{task.fields[column]}"), console=Console(stderr=True))
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        for step, words in (("trained", in_words("trained")), ("registered", in_words("registered"))):
            self._tasks[step] = self._progress.add_task(words, total=None, column="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, step: str, column: str, total: int) -> None:
        """Advance the bar of a step."""
        for task in self._tasks.values():
            self._progress.update(task, total=total)
        self._progress.update(self._tasks[step], advance=1, column=column)


def print_outcomes(outcomes: list[TrainingOutcome]) -> None:
    """Print a table with a line for each antimicrobial (version, source of labels, certificate), and its legend."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in _HEADINGS:
        side = "right" if heading.startswith("#") else "left"
        table.add_column(in_words(heading).removeprefix("#"), justify=side)  # type: ignore[arg-type]
    for outcome in outcomes:
        table.add_row(*_cells(outcome))
    console = Console(width=None if Console().is_terminal else 140)
    console.print(table)
    if any(outcome.certificate is not None for outcome in outcomes):
        console.print(in_words(_LEGEND), highlight=False)


def _cells(outcome: TrainingOutcome) -> tuple[str, ...]:
    certificate, version = outcome.certificate, outcome.version
    if certificate is None or version is None:
        return (f"modelo_{outcome.column}", "–", "", "", "", "", "", "", in_words(outcome.note))
    remark = "; ".join(filter(None, (in_words("unchanged") if version.reused else "", in_words(outcome.note))))
    return (
        version.name,
        str(version.version),
        outcome.label_source,
        str(len(certificate.organisms)),
        in_words(f"{certificate.asked:,}"),
        in_words(f"{certificate.kinds.get(Kind.VERY_MAJOR, 0):,}"),
        in_words(f"{certificate.disagreeing:,}"),
        in_words("yes") if certificate.monotone else in_words("NO"),
        remark,
    )


def outcomes_document(outcomes: list[TrainingOutcome]) -> list[dict[str, object]]:
    """Return each antimicrobial's outcome, for programs: model version, label source, certificate's counts, remark."""
    return [
        {
            "model": outcome.version.name if outcome.version else f"modelo_{outcome.column}",
            "version": outcome.version.version if outcome.version else None,
            "unchanged": bool(outcome.version and outcome.version.reused),
            "labels": outcome.label_source,
            "organisms": len(certificate.organisms) if certificate else None,
            "asked": certificate.asked if certificate else None,
            "very_major": certificate.kinds.get(Kind.VERY_MAJOR, 0) if certificate else None,
            "differing": certificate.disagreeing if certificate else None,
            "monotone": certificate.monotone if certificate else None,
            "remark": outcome.note,
        }
        for outcome in outcomes
        for certificate in [outcome.certificate]
    ]
