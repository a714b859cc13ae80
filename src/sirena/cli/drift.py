"""``sirena drift``: whether the results of a period differ from those of the year before and of the training."""

from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena.cli.file_options import MappingFile, Sheet
from sirena.cli.file_remarks import list_names, tell
from sirena.cli.json_document import AsJson, print_json
from sirena.cli.sections import Section, print_sections
from sirena.cli.voice import language_or_locale
from sirena.domain.errors import SirenaError, UsageError
from sirena.domain.language import Language
from sirena.stewardship.antimicrobial_names import drug_name

if TYPE_CHECKING:
    from sirena.cli.sections import Section
    from sirena.domain.test_column import TestColumn
    from sirena.stewardship.drift import Comparison, Drift, SideComparisons
    from sirena.stewardship.drift_populations import TrainingCounts
    from sirena.web.answers import NamedPanel

FOUND: Final = 5
"""Exit code when drift was found."""
_WHOLE: Final = "all"
_EXAMPLE: Final = "Example: sirena drift hospital.sir --period 2025-Q3 --chart drift.svg"


def register(app: typer.Typer) -> None:
    """Add ``sirena drift`` to the command line."""
    app.command("drift", epilog=_EXAMPLE)(drift)


def drift(
    file: Annotated[Path, typer.Argument(help="WHONET file of any format; - reads standard input.")],
    period: Annotated[
        str,
        typer.Option(
            help="Period to judge: 2025-Q3, 2025, or 2025-01-01..2025-06-30; all compares the whole file with the "
            "training only. By default the last calendar quarter in the file."
        ),
    ] = "",
    release: Annotated[
        str,
        typer.Option(
            help="Release whose models give the categories, and with whose training the file is compared: active, "
            "latest, or a name."
        ),
    ] = "active",
    reference: Annotated[
        bool,
        typer.Option(
            "--reference",
            help="Take the categories from the guideline editions in force, and compare with the year before only.",
        ),
    ] = False,
    guideline: Annotated[
        list[str] | None,
        typer.Option(
            help="Take the categories from this edition, and compare with the year before only. May be repeated."
        ),
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option("--chart", help="File to write: a chart of the shares of the categories; .svg, .png or .pdf."),
    ] = None,
    language: Annotated[
        Language | None, typer.Option(help="Language of the chart; by default that of the locale.")
    ] = None,
    as_json: AsJson = False,
    sheet: Sheet = None,
    mapping: MappingFile = None,
) -> None:
    """Find drift against the year before and the training.

    A period is compared with the year before it and with the training data of the models; exit code 5 if something
    drifts. For each antimicrobial these shares are compared: each category, each reason for no category (NI), and
    organisms, specimens and MICs that do not occur on the other side. A share drifts if it differs by 5 percentage
    points or more and the confidence interval of the difference (Newcombe), at 95 % for all comparisons together,
    excludes zero. Fewer than 30 results are not judged. Of a difference in a category, the part due to other organisms
    is given. Training data hold labelled results only, so the reasons are not compared with them.
    """
    from sirena.acts.s3_files import refuse_same_file
    from sirena.panel.frame import Isolates
    from sirena.stewardship.drift import measure_drift
    from sirena.stewardship.drift_words import drift_document
    from sirena.stewardship.isolates import read_isolates
    from sirena.stewardship.periods import Period
    from sirena.stewardship.results import interpret_results
    from sirena.whonet.mapping import load_mapping
    from sirena.whonet.reading import read_file

    if chart is not None:
        _check(chart)
        refuse_same_file(file, chart)
    whole = period.strip().lower() == _WHOLE
    judged_period = Period.read(period) if period and not whole else None
    by_editions = reference or bool(guideline)
    if whole and by_editions:
        raise UsageError(
            "--period all compares with training, and guideline editions have no training", hint="leave one out"
        )
    source = read_file(file, sheet=sheet, mapping=load_mapping(mapping) if mapping else None)
    if not source.mic_columns:
        raise UsageError(f"{file}: no column holds MICs", hint="`sirena inspect` shows what the file holds")
    columns = {column.model_column for column in source.mic_columns.values()}
    answers = _answers(by_editions, release, guideline or [], columns)
    answered_by = answers.source_of(columns)
    training = None if by_editions else _training(answers, source.mic_columns.values())
    report = measure_drift(
        read_isolates(source, date.today()),
        interpret_results(Isolates.of_file(source), answers.table_of),
        answers.table_of,
        training=training,
        period=judged_period,
        whole=whole,
    )
    if chart is not None:
        _write_chart(report, chart, language_or_locale(language))
    if as_json:
        print_json(drift_document(report, answered_by))
    else:
        print_sections(_sections(report, language_or_locale(None)))
        if report.period is None:
            tell(f"the whole file: {report.results:,} results, answered by {answered_by}")
        else:
            first, last = report.period.first, report.period.last
            tell(f"{first} – {last}: {report.results:,} results, answered by {answered_by}")
    if report.is_found:
        raise typer.Exit(FOUND)


def _check(chart: Path) -> None:
    from sirena.stewardship.drawing import FORMATS
    from sirena.whonet.writing import check_place

    if chart.suffix.lower().removeprefix(".") not in FORMATS:
        raise UsageError(f"--chart: {chart} is not written with this suffix", hint=f"one of .{', .'.join(FORMATS)}")
    check_place(chart)


def _answers(by_editions: bool, release: str, guideline: list[str], columns: "Collection[str]") -> "NamedPanel":
    from sirena.cli.pages_answers import answers_for

    try:
        return answers_for(None if by_editions else release, guideline, columns)
    except SirenaError as error:
        if not by_editions:
            error.hint += f"{'; ' if error.hint else ''}or compare with last year by the guideline: --reference"
        raise


def _training(answers: "NamedPanel", columns: "Collection[TestColumn]") -> "TrainingCounts":
    from sirena.acts.training_evidence import evidence_of

    return evidence_of(answers.panel, {column.model_column for column in columns})


def _write_chart(report: "Drift", chart: Path, language: Language) -> None:
    from sirena.stewardship.drawing import draw
    from sirena.stewardship.drift_charts import drift_chart
    from sirena.whonet.writing import replacing

    drawing = drift_chart(report, language)
    if drawing is None:
        tell(f"{chart}: not written, no antimicrobial has 30 results on both sides")
        return
    with replacing(chart) as draft:
        draft.write_bytes(draw(drawing.specification, chart.suffix.lower().removeprefix(".")))


def _sections(report: "Drift", language: Language) -> Iterator["Section"]:
    if not report.sides:
        yield Section(
            "Nothing to compare with", [], note="No row has a date, and no release with its training answers."
        )
    for side in report.sides:
        yield _section(side, language)
    training = report.training
    if training is not None and training.without_results:
        columns = list_names(training.without_results)
        yield Section("Trained without isolates", [], note=f"Not compared with training: {columns}")
    if training is not None and training.columns_without_counts:
        columns = list_names(training.columns_without_counts)
        note = f"Their training kept no counts, being of an earlier Sirena; train again to compare: {columns}"
        yield Section("Training without counts", [], note=note)


def _section(side: "SideComparisons", language: Language) -> "Section":
    title = "Beside training"
    if side.period is not None:
        title = f"Beside the twelve months before, {side.period.first} – {side.period.last}"
    few = len({comparison.column for comparison in side.comparisons}) - len(
        {comparison.column for comparison in side.comparisons if comparison.is_judged}
    )
    note = (
        f"{side.results:,} results there; {side.judged_count} comparisons judged, "
        f"{len(side.drifting_comparisons)} drift, {few} antimicrobials have too few results to be judged."
    )
    headings = ("antimicrobial", "what", "#now", "#before", "#difference, points", "interval", "#by other organisms")
    return Section(title, [_row(comparison, language) for comparison in side.drifting_comparisons], headings, note)


def _row(comparison: "Comparison", language: Language) -> tuple[str, ...]:
    from sirena.stewardship.drift_words import percent, points, what_is_compared

    return (
        f"{drug_name(comparison.column, language)} ({comparison.column})",
        what_is_compared(comparison, language),
        f"{percent(comparison.share, language)} / {comparison.n}",
        f"{percent(comparison.share_before, language)} / {comparison.n_before}",
        points(comparison.difference, language),
        f"{points(comparison.low, language)} … {points(comparison.high, language)}",
        points(comparison.by_organisms, language),
    )
