"""``sirena alerts``: isolates of a file that need attention, such as MRSA."""

import enum
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from sirena.cli.file_options import MappingFile, Sheet
from sirena.cli.file_remarks import list_names, read_site, tell
from sirena.cli.voice import language_or_locale
from sirena.domain.errors import UsageError
from sirena.domain.language import Language

if TYPE_CHECKING:
    import polars as pl

    from sirena.panel.column_answers import TablesFor
    from sirena.whonet.file import WhonetFile

_EXAMPLE: Final = "Example: sirena alerts isolates.sir --language es -o alerts.xlsx"
_JSON: Final = ".json"


class AlertsFormat(enum.StrEnum):
    """Format in which the counts are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add ``sirena alerts`` to the command line."""
    app.command("alerts", epilog=_EXAMPLE)(alerts)


def alerts(
    file: Annotated[Path, typer.Argument(help="WHONET file of any format; - reads standard input.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write: the isolates by row and specimen number, as .json or in a format of `sirena "
            "interpret`.",
        ),
    ] = None,
    guideline: Annotated[
        list[str] | None,
        typer.Option(help="Edition for the columns of its guideline; by default the newest in force. May be repeated."),
    ] = None,
    release: Annotated[
        str,
        typer.Option(help="Use the models of this release instead of guideline editions: active, latest, or a name."),
    ] = "",
    language: Annotated[
        Language | None,
        typer.Option(help="Language of the texts; by default en, and that of the locale for the table."),
    ] = None,
    form: Annotated[
        AlertsFormat, typer.Option("--format", help="Format of the counts: table, csv or json.")
    ] = AlertsFormat.TABLE,
    site: Annotated[
        str,
        typer.Option(
            help="Site of infection: specimen (by the specimen of each row), or one site for all rows: unknown, "
            "csf, urine, blood, respiratory …"
        ),
    ] = "specimen",
    sheet: Sheet = None,
    mapping: MappingFile = None,
) -> None:
    """Count the isolates that need attention, such as MRSA.

    These are MRSA, VRE, resistance to carbapenems, and unusual results. Priorities are those of the WHO list of 2024;
    multidrug resistance is that of Magiorakos 2012, without intrinsic resistance. The laboratory should confirm unusual
    results. The counts name no patient; only the file given by --output lists isolates, by row and specimen number. The
    input file is not changed.
    """
    from sirena.acts.s3_files import refuse_same_file
    from sirena.panel.frame import Isolates
    from sirena.stewardship.alert_tables import alert_records, list_alerts
    from sirena.stewardship.alerts import find_alerts
    from sirena.stewardship.isolate_facts import IsolateFacts
    from sirena.whonet.mapping import load_mapping
    from sirena.whonet.reading import read_file

    everywhere = read_site(site)
    if output is not None:
        _check(output)
        refuse_same_file(file, output)
    source = read_file(file, sheet=sheet, mapping=load_mapping(mapping) if mapping else None)
    tables_for, answered_by = _answers(source, guideline or (), release)
    facts = IsolateFacts.of(Isolates.of_file(source, zones=True, site=everywhere), tables_for)
    findings = find_alerts(facts)
    table_language = language_or_locale(language) if form is AlertsFormat.TABLE else language or Language.ENGLISH
    _print(alert_records([finding.alert_count for finding in findings], table_language), form, table_language)
    zones = [header for header, column in source.test_columns.items() if not column.is_mic]
    if zones:
        tell(f"zone diameters are not interpreted and raise no alert: {list_names(zones)}")
    tell(f"{source.frame.height:,} isolates, answered by {answered_by}")
    tell("clusters in a ward are not searched for: no maintained library offers a published method")
    if output is not None:
        alert_list = list_alerts(source, facts, findings, language or Language.ENGLISH)
        _write(alert_list, output)
        tell(f"{output}: {alert_list.height:,} alerts by row and specimen number")


def _check(output: Path) -> None:
    from sirena.whonet.writing import check_place, find_suffix

    if str(output) == "-":
        raise UsageError(
            "the list of isolates holds specimen numbers and is not printed", hint="name a file: -o alerts.csv"
        )
    if output.suffix.lower() != _JSON:
        find_suffix(output)
    check_place(output)


def _answers(source: "WhonetFile", guideline: Sequence[str], release: str) -> "tuple[TablesFor, str]":
    """Return the function that gives the table for a test column, and the name of what answers."""
    if release:
        if guideline:
            raise UsageError("--guideline and --release exclude each other", hint="the release knows its editions")
        from sirena.acts.answering_release import load_for_answers

        answering_release = load_for_answers(release)
        return (lambda column: answering_release.panel.tables.get(column.model_column)), answering_release.name
    from sirena.acts.rules_in_force import editions_in_force
    from sirena.settings.catalogue import load_settings

    settings = load_settings()
    editions = editions_in_force(settings, guideline)
    columns = sorted({column.model_column for column in source.mic_columns.values()})
    tables = editions.tables(columns)
    return (lambda column: tables.get(column.model_column)), editions.names_for(columns) or "no edition"


def _print(counts: list[dict[str, Any]], form: AlertsFormat, language: Language) -> None:
    import polars as pl

    if form is AlertsFormat.JSON:
        typer.echo(json.dumps(counts, ensure_ascii=False, indent=2))
    elif form is AlertsFormat.CSV:
        typer.echo(pl.DataFrame(counts).write_csv().rstrip("\n"))
    else:
        typer.echo(_table(counts, language))


def _table(counts: list[dict[str, Any]], language: Language) -> str:
    """Return a table of the alerts that concern any isolate; the other alerts follow in one line."""
    from sirena.stewardship.alert_tables import priority_word
    from sirena.texts.messages import translate

    headings = ("alert", "WHO", "isolates", "of tested", "")
    head = tuple(translate(heading, language.value).text for heading in headings)
    lines = [
        (
            record["alert"],
            priority_word(record["priority"], language),
            str(record["isolates"]),
            str(record["tested"]),
            record["text"],
        )
        for record in counts
        if record["isolates"]
    ]
    widths = [max(len(line[number]) for line in (head, *lines)) for number in range(4)]
    texts = ["  ".join((*map(str.ljust, line[:4], widths), line[4])).rstrip() for line in (head, *lines)]
    alerts_without_isolates = dict.fromkeys(
        record["alert"] for record in counts if not record["isolates"] and record["tested"]
    )
    alerts_without_tests = dict.fromkeys(record["alert"] for record in counts if not record["tested"])
    if alerts_without_isolates:
        texts.append(translate(f"looked for and not found: {', '.join(alerts_without_isolates)}", language.value).text)
    if alerts_without_tests:
        texts.append(translate(f"not tested: {', '.join(alerts_without_tests)}", language.value).text)
    return "\n".join(texts)


def _write(frame: "pl.DataFrame", output: Path) -> None:
    from sirena.whonet.writing import write_file

    if output.suffix.lower() == _JSON:
        frame.write_json(output)
    else:
        write_file(frame, output)
