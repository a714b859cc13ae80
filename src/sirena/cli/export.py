"""``sirena export``: writing a file in the format that a surveillance platform accepts."""

import enum
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena.cli.file_options import MappingFile, Sheet
from sirena.cli.file_remarks import list_names, tell
from sirena.domain.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from sirena.stewardship.exports_ears_net import EarsNetExport, Sender
    from sirena.stewardship.exports_glass import GlassExport
    from sirena.stewardship.exports_whonet import WhonetExport
    from sirena.whonet.file import WhonetFile

_EXAMPLE: Final = (
    "Example: sirena export isolates.sir --to glass --country ARG --year 2025 -o ris.csv --refused refused.csv"
)
_FEW: Final = 5


class ExportTarget(enum.StrEnum):
    """Platform or program for which the file is written."""

    GLASS = "glass"
    EARS_NET = "ears-net"
    WHONET = "whonet"


_COUNTRY_LETTERS: Final = {ExportTarget.GLASS: 3, ExportTarget.EARS_NET: 2}
_NAMES: Final = {ExportTarget.GLASS: "GLASS", ExportTarget.EARS_NET: "EARS-Net"}


def register(app: typer.Typer) -> None:
    """Add ``sirena export`` to the command line."""
    app.command("export", epilog=_EXAMPLE)(export)


def export(
    file: Annotated[Path, typer.Argument(help="WHONET file of any format; - reads standard input.")],
    to: Annotated[
        ExportTarget,
        typer.Option(
            "--to",
            help="Target: glass (counts of R, I and S for WHO's platform, RIS file), ears-net (a row per isolate "
            "and drug for the ECDC's TESSy) or whonet (rows for WHONET).",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, in the format of its suffix.")],
    country: Annotated[
        str,
        typer.Option(
            help="glass, ears-net: country by ISO 3166, three letters for glass (ARG, COL, ESP), two for ears-net (ES)."
        ),
    ] = "",
    laboratory: Annotated[
        str, typer.Option(help="ears-net: code of the laboratory, given by the national coordination of EARS-Net.")
    ] = "",
    year: Annotated[
        int | None,
        typer.Option(min=1900, max=2999, help="glass, ears-net: year of the specimens; a file holds one year."),
    ] = None,
    guideline: Annotated[
        list[str] | None,
        typer.Option(help="Edition for the columns of its guideline; by default the newest in force. May be repeated."),
    ] = None,
    batch: Annotated[
        str,
        typer.Option(
            help="glass, ears-net: name of the data set on the platform (BATCHID for glass, by default DS1; "
            "DataSource for ears-net)."
        ),
    ] = "",
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            help="Value that marks a screening culture, whose isolates are left out: SPEC_REAS=sur or "
            "SPEC_TYPE=re. May be repeated."
        ),
    ] = None,
    refused: Annotated[
        Path | None,
        typer.Option("--refused", help="File to write: the rows that are not exported, each with the reason."),
    ] = None,
    dictionary: Annotated[
        Path | None, typer.Option("--dictionary", help="File to write: the meaning of each column of the export.")
    ] = None,
    sheet: Sheet = None,
    mapping: MappingFile = None,
) -> None:
    """Export results for WHO GLASS, EARS-Net or WHONET.

    glass: counts of R, I and S of the first isolate per patient, specimen and pathogen in a year. No row of the export
    describes a single patient. Results that cannot be exported are counted by reason, and --refused lists them by row.
    Categories are those of the guideline, before expert rules.

    ears-net: one row per antimicrobial of the first isolate per patient and pathogen in a year, from blood and
    cerebrospinal fluid, with MIC and category. EARS-Net requires EUCAST, so all MICs are interpreted by EUCAST, also in
    columns named after another guideline. Patients and isolates get new numbers within the file. Age, sex, dates and
    ward type are those of a person: treat the file as patient data.

    whonet: all isolates, with WHONET's names of columns and organisms. Patients get new numbers; names, patient
    numbers, birth dates and specimen numbers are left out. The options that begin with glass or ears-net do not apply.
    """
    from sirena.acts.s3_files import refuse_same_file
    from sirena.whonet.mapping import load_mapping
    from sirena.whonet.reading import read_file
    from sirena.whonet.writing import check_place, find_suffix

    _check(to, country=country, laboratory=laboratory, year=year, guideline=guideline or [], leave_out=leave_out or [])
    targets = [path for path in (output, refused, dictionary) if path is not None]
    if len({str(path) for path in targets}) < len(targets):
        raise UsageError("two of the files to write have the same name", hint="name a different file for each")
    for path in targets:
        find_suffix(path)
        check_place(path)
        refuse_same_file(file, path)
    source = read_file(file, sheet=sheet, mapping=load_mapping(mapping) if mapping else None)
    surveillance_export: GlassExport | EarsNetExport | WhonetExport
    if year is None:
        surveillance_export = _whonet(source)
        meanings = surveillance_export.meanings
    elif to is ExportTarget.EARS_NET:
        from sirena.stewardship.exports_ears_net import COLUMNS, Sender

        sender = Sender(country.upper(), laboratory.strip(), batch)
        surveillance_export = _ears_net(source, guideline or [], sender, year, leave_out or [])
        meanings = COLUMNS
    else:
        from sirena.stewardship.exports_glass import COLUMNS

        surveillance_export = _glass(source, guideline or [], country.upper(), year, batch or "DS1", leave_out or [])
        meanings = COLUMNS
    _write(source, surveillance_export, meanings, output, refused, dictionary)
    platform = f"{_NAMES[to]}, {country.upper()} {year}" if year is not None else "WHONET"
    tell(f"{output}: {surveillance_export.frame.height:,} rows for {platform}")
    for reason, count in Counter(reason for _, reason in surveillance_export.refused_rows).most_common():
        tell(f"  not exported: {count:,} isolates, {reason}")
    if to is ExportTarget.GLASS:
        _warn_of_few(surveillance_export.frame)
    elif to is ExportTarget.EARS_NET:
        tell("  each row describes a person, whom age, sex, dates and ward type may identify: the file is patient data")


def _check(
    to: ExportTarget, *, country: str, laboratory: str, year: int | None, guideline: list[str], leave_out: list[str]
) -> None:
    """Raise `UsageError` if an option that the target needs is missing, or one is given that it does not take."""
    if to is ExportTarget.WHONET:
        if country or laboratory or year or leave_out or guideline:
            raise UsageError(
                "--country, --laboratory, --year, --leave-out and --guideline are for glass and ears-net",
                hint="leave them out",
            )
        return
    if year is None:
        raise UsageError("--year is missing", hint=f"{_NAMES[to]} takes one year a file: --year 2025")
    letters = _COUNTRY_LETTERS[to]
    if len(country) != letters or not country.isascii() or not country.isalpha():
        example = "ARG, COL, ESP" if to is ExportTarget.GLASS else "ES, PT"
        raise UsageError(
            f"--country is no code of {'three' if to is ExportTarget.GLASS else 'two'} letters",
            hint=f"ISO 3166: {example}",
        )
    if to is ExportTarget.EARS_NET and not laboratory.strip():
        raise UsageError(
            "--laboratory is missing", hint="the national coordination of EARS-Net gives each laboratory one"
        )
    if to is ExportTarget.EARS_NET and any(not name.upper().startswith("EUCAST") for name in guideline):
        raise UsageError("--guideline is no edition of EUCAST", hint="EARS-Net takes categories by EUCAST alone")
    if to is ExportTarget.GLASS and laboratory:
        raise UsageError("--laboratory is for ears-net", hint="leave it out")


def _whonet(source: "WhonetFile") -> "WhonetExport":
    from sirena.stewardship.exports_whonet import export_whonet

    whonet_export = export_whonet(source, date.today())
    if whonet_export.columns_left_out:
        tell(f"  not exported: a second column for the same test: {list_names(list(whonet_export.columns_left_out))}")
    return whonet_export


def _glass(
    source: "WhonetFile", guideline: list[str], country: str, year: int, batch: str, leave_out: list[str]
) -> "GlassExport":
    from sirena.acts.rules_in_force import editions_in_force
    from sirena.panel.frame import Isolates
    from sirena.settings.catalogue import load_settings
    from sirena.stewardship.exclusions import read_screening
    from sirena.stewardship.exports_glass import export_glass
    from sirena.stewardship.isolate_facts import IsolateFacts
    from sirena.stewardship.isolates import read_isolates

    settings = load_settings()
    editions = editions_in_force(settings, guideline)
    tables = editions.tables(sorted({column.model_column for column in source.mic_columns.values()}))
    facts = IsolateFacts.of(Isolates.of_file(source), lambda column: tables.get(column.model_column))
    isolates = read_isolates(source, date.today())
    return export_glass(isolates, facts, country, year, batch=batch, screening=read_screening(leave_out))


def _ears_net(
    source: "WhonetFile", guideline: list[str], sender: "Sender", year: int, leave_out: list[str]
) -> "EarsNetExport":
    from sirena.acts.rules_in_force import editions_in_force
    from sirena.panel.frame import Isolates
    from sirena.settings.catalogue import load_settings
    from sirena.stewardship.exclusions import read_screening
    from sirena.stewardship.exports_ears_net import export_ears_net, read_by_eucast
    from sirena.stewardship.isolate_facts import IsolateFacts
    from sirena.stewardship.isolates import read_isolates

    settings = load_settings()
    rows = read_by_eucast(Isolates.of_file(source))
    columns = sorted({column.model_column for column in rows.test_columns.values()})
    editions = editions_in_force(settings, guideline)
    tables = editions.tables(columns)
    facts = IsolateFacts.of(rows, lambda column: tables.get(column.model_column))
    today = date.today()
    return export_ears_net(
        source, read_isolates(source, today), facts, sender, year, today, screening=read_screening(leave_out)
    )


def _write(
    source: "WhonetFile",
    surveillance_export: "GlassExport | EarsNetExport | WhonetExport",
    meanings: Mapping[str, str],
    output: Path,
    refused_file: Path | None,
    dictionary: Path | None,
) -> None:
    import numpy as np
    import polars as pl

    from sirena.whonet.writing import write_file

    write_file(surveillance_export.frame.with_columns(pl.all().cast(pl.String)), output)
    if refused_file is not None:
        numbers = source.row_numbers(
            np.array([row for row, _ in surveillance_export.refused_rows], dtype=np.int64)
        ).tolist()
        reasons = [reason for _, reason in surveillance_export.refused_rows]
        write_file(pl.DataFrame({"row": [str(number) for number in numbers], "reason": reasons}), refused_file)
    if dictionary is not None:
        write_file(pl.DataFrame({"column": list(meanings), "meaning": list(meanings.values())}), dictionary)


def _warn_of_few(frame: "pl.DataFrame") -> None:
    """Print how many rows count so few isolates that they may identify a person."""
    import polars as pl

    counts = [name for name, kind in frame.schema.items() if kind == pl.Int64]
    few = frame.filter(pl.sum_horizontal(counts) < _FEW).height
    if few:
        tell(f"  {few:,} rows count fewer than {_FEW} isolates: by age, gender and origin they may identify a person")
