"""``sirena antibiogram``: how often each species of a file is susceptible to each antimicrobial."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena.cli.engine_option import EngineName, EngineOption, engine_named
from sirena.cli.file_options import FileArgument, MappingFile, Sheet
from sirena.cli.file_remarks import read_site, tell, tell_if_whole
from sirena.cli.voice import language_or_locale
from sirena.domain.errors import SirenaError, UsageError
from sirena.domain.language import Language
from sirena.whonet.errors import as_given

if TYPE_CHECKING:
    from sirena.panel.column_answers import TablesFor
    from sirena.stewardship.counting import CountedFile
    from sirena.stewardship.first_isolates import FirstIsolates
    from sirena.stewardship.page import Paper
    from sirena.stewardship.report_parts import ReportParts
    from sirena.stewardship.strata import Stratum
    from sirena.whonet.file import WhonetFile

_EXAMPLE: Final = (
    "Examples: sirena antibiogram hospital.sir -o 2025.html --period 2025 --leave-out SPEC_REAS=sur --language es;  "
    "sirena antibiogram hospital.sir -o wards.xlsx --reference --by ward --by year --combination TZP+AMK"
)


def register(app: typer.Typer) -> None:
    """Add ``sirena antibiogram`` to the command line."""
    app.command("antibiogram", epilog=_EXAMPLE)(antibiogram)


def antibiogram(
    file: FileArgument,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="File to write: .html, .pdf, .xlsx, .csv, .parquet or .json; - writes CSV to standard output.",
        ),
    ],
    release: Annotated[
        str, typer.Option(help="Release whose models give the categories: active, latest, or a name.")
    ] = "active",
    reference: Annotated[
        bool,
        typer.Option(
            "--reference", help="Take the categories from the guideline editions in force, without any model."
        ),
    ] = False,
    guideline: Annotated[
        list[str] | None,
        typer.Option(help="Take the categories from this edition, without any model. May be repeated."),
    ] = None,
    period: Annotated[
        str,
        typer.Option(
            help="Period: 2025, 2025-Q3, or 2025-01-01..2025-06-30; by default each calendar year of the file."
        ),
    ] = "",
    first: Annotated[
        str,
        typer.Option(
            help="Isolates to count, the first per: patient (and period), episode, phenotype, specimen; or all."
        ),
    ] = "patient",
    days: Annotated[int, typer.Option(min=1, help="Length of an episode in days.")] = 30,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            help="Value that marks a screening culture, whose isolates are left out: SPEC_REAS=sur or "
            "SPEC_TYPE=re. May be repeated."
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            help="Also make an antibiogram for each ward, ward-type, specimen, year, quarter, age or origin. May "
            "be repeated."
        ),
    ] = None,
    combination: Annotated[
        list[str] | None, typer.Option(help="Susceptibility to two drugs combined, such as TZP+AMK. May be repeated.")
    ] = None,
    wisca: Annotated[
        bool, typer.Option("--wisca", help="Add the weighted coverage of each syndrome (WISCA), by kind of specimen.")
    ] = False,
    site: Annotated[
        str,
        typer.Option(
            help="Site of infection: specimen (by the specimen of each row), or one site for all rows: unknown, "
            "csf, urine, blood, respiratory …"
        ),
    ] = "specimen",
    expert_rules: Annotated[
        bool,
        typer.Option(help="Count as R the results that an expert rule reports as R, such as a beta-lactam of an MRSA."),
    ] = True,
    rules: Annotated[
        Path | None, typer.Option("--rules", help="File of the hospital's own expert rules, added to Sirena's (CSV).")
    ] = None,
    charts: Annotated[
        Path | None, typer.Option("--charts", help="Folder to write the charts to, each as .svg, .png and .pdf.")
    ] = None,
    dictionary: Annotated[
        Path | None,
        typer.Option("--dictionary", help="File to write: the meaning of each column of the .csv and .parquet files."),
    ] = None,
    paper: Annotated[
        str,
        typer.Option(
            help="Paper size of the .pdf and of the printed .html, in landscape: a4, or a3 for more drugs on a page."
        ),
    ] = "a4",
    language: Annotated[Language | None, typer.Option(help="Language of the report; by default en.")] = None,
    engine: EngineOption = EngineName.LOCAL,
    sheet: Sheet = None,
    mapping: MappingFile = None,
) -> None:
    """Make the cumulative antibiogram of a file (CLSI M39).

    The first isolate per patient and species is counted. Counts of fewer than 30 isolates are marked. Results that are
    not interpretable, untested or intrinsically resistant are in no percentage; every percentage has its 95 %
    confidence interval (Wilson). Expert rules are applied unless --no-expert-rules is given. Categories come from a
    release, as in `sirena interpret`, or from guideline editions; the report says which. Patients are distinguished
    only in memory: nothing about them is written.
    """
    from sirena.acts.file_questions import rules_to_apply, stamp_with_rules
    from sirena.acts.s3_files import check_output, destination, folder_of_rows, local_copy, refuse_same_file
    from sirena.stewardship.antibiogram import Request
    from sirena.stewardship.counting import count_file, open_to_count
    from sirena.stewardship.exclusions import read_screening
    from sirena.stewardship.exports import PAGES, as_csv, report_suffix, write_antibiogram
    from sirena.stewardship.exports import dictionary as columns_explained
    from sirena.stewardship.periods import Period
    from sirena.stewardship.words import word
    from sirena.whonet.mapping import load_mapping
    from sirena.whonet.streamed import shortest_for
    from sirena.whonet.writing import find_suffix, write_file

    report_language = language or Language.ENGLISH
    is_page = report_suffix(output) in PAGES
    for target in (output, *([dictionary] if dictionary is not None else [])):
        refuse_same_file(file, target)
        check_output(target)
    if dictionary is not None:
        find_suffix(dictionary)
    everywhere = read_site(site)
    paper_size = _paper(paper)
    request = Request(
        first_isolates=_first(first, days),
        period=Period.read(period) if period else None,
        screening=read_screening(leave_out or ()),
        by=_strata(by or ()),
        combinations=tuple(combination or ()),
        wisca=wisca,
        trend=is_page or charts is not None,
    )
    if charts is not None and not charts.is_dir():
        raise UsageError(f"--charts: {charts} is no folder", hint="make it first")
    if rules is not None and not expert_rules:
        raise UsageError("--rules and --no-expert-rules exclude each other", hint="leave one of them out")
    expert = rules_to_apply(expert_rules, rules)
    laboratory_mapping = load_mapping(mapping) if mapping else None
    with (
        engine_named(engine) as works,
        local_copy(file) as here,
        open_to_count(
            here,
            folder=folder_of_rows(output),
            today=date.today(),
            sheet=sheet,
            mapping=laboratory_mapping,
            shortest=shortest_for(works),
            engine=works,
        ) as open_file,
    ):
        if open_file.engine is not works:
            tell_if_whole(file, works)
        source = open_file.file
        if not source.mic_columns:
            raise UsageError(
                f"{as_given(file)}: no column holds MICs", hint="`sirena inspect` shows what the file holds"
            )
        if reference or guideline:
            tables_for, answered_by = _by_guideline(source, guideline or ())
        else:
            tables_for, answered_by = _by_release(source, release)
        stamp = stamp_with_rules(answered_by, expert)
        whole = count_file(
            open_file, tables_for, request, source=stamp, site=everywhere, rules=expert.rules if expert else None
        )
    counts = whole.antibiogram
    if str(output) == "-":
        typer.echo(as_csv(counts, report_language), nl=False)
    else:
        parts = _parts(whole, report_language) if is_page else None
        with destination(output) as place:
            write_antibiogram(counts, place, report_language, parts, paper=paper_size)
    if dictionary is not None:
        with destination(dictionary) as place:
            write_file(columns_explained(report_language), place)
    if charts is not None:
        _write_charts(whole, charts, report_language)
    message_language = language_or_locale(language)
    for loss in counts.losses:
        if loss.removed_rows:
            tell(f"  {word(loss.step, message_language)}: {loss.removed_rows:,} left out, {loss.left_rows:,} left")
    for caution in counts.cautions:
        tell(f"  {caution.spanish if message_language is Language.SPANISH else caution.english}")
    tell(f"{stamp}: {counts.isolates:,} of {counts.rows:,} isolates counted; written to {as_given(output)}")


def _paper(name: str) -> "Paper":
    from sirena.stewardship.page import Paper

    try:
        return Paper(name.strip().lower())
    except ValueError:
        raise UsageError("--paper knows no such paper", hint=f"one of {', '.join(Paper)}") from None


def _parts(whole: "CountedFile", language: Language) -> "ReportParts":
    from sirena.stewardship.report import report_parts

    return report_parts(whole, language)


def _write_charts(whole: "CountedFile", folder: Path, language: Language) -> None:
    from sirena.stewardship.drawing import write_chart
    from sirena.stewardship.report import report_charts

    charts = [chart for section in report_charts(whole, language).values() for chart in section]
    for chart in charts:
        write_chart(chart, folder)
    tell(f"{folder}: {len(charts)} charts, each as .svg, .png and .pdf")


def _by_guideline(source: "WhonetFile", names: Sequence[str]) -> "tuple[TablesFor, str]":
    from sirena.acts.rules_in_force import editions_in_force
    from sirena.settings.catalogue import load_settings

    settings = load_settings()
    editions = editions_in_force(settings, names)
    columns = sorted({column.model_column for column in source.mic_columns.values()})
    tables = editions.tables(columns)
    return lambda column: tables.get(column.model_column), editions.stamp_for(columns)


def _by_release(source: "WhonetFile", release: str) -> "tuple[TablesFor, str]":
    from sirena.acts.answering_release import load_for_answers
    from sirena.panel.provenance import stamp_of

    try:
        answering_release = load_for_answers(release)
    except SirenaError as error:
        error.hint += f"{'; ' if error.hint else ''}or count by the guideline itself: --reference"
        raise
    for alarm in answering_release.alarms:
        tell(f"ALARM: {alarm}")
    columns = (column.model_column for column in source.mic_columns.values())
    return lambda column: answering_release.panel.tables.get(column.model_column), stamp_of(
        answering_release.panel, columns
    )


def _first(mode: str, days: int) -> "FirstIsolates":
    from sirena.stewardship.first_isolates import FirstIsolates, Mode

    try:
        return FirstIsolates(Mode(mode.strip().lower()), days)
    except ValueError:
        raise UsageError("--first knows no such rule", hint=f"one of {', '.join(Mode)}") from None


def _strata(names: Sequence[str]) -> "tuple[Stratum, ...]":
    from sirena.stewardship.strata import Stratum

    try:
        return tuple(dict.fromkeys(Stratum(name.strip().lower()) for name in names))
    except ValueError:
        raise UsageError("--by knows no such part", hint=f"one of {', '.join(Stratum)}") from None
