"""``sirena export``: a file in the form that a surveillance platform takes."""

import enum
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena.domain.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from sirena.stewardship.exports_glass import GlassExport
    from sirena.stewardship.exports_whonet import WhonetExport
    from sirena.whonet.file import WhonetFile

_EXAMPLE: Final = (
    "Example: sirena export isolates.sir --to glass --country ARG --year 2025 -o ris.csv --refused refused.csv"
)
_FEW: Final = 5
_COUNTRY_LETTERS: Final = 3


class Target(enum.StrEnum):
    """Who takes the file."""

    GLASS = "glass"
    WHONET = "whonet"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export", epilog=_EXAMPLE)(export)


def export(
    file: Annotated[Path, typer.Argument(help="WHONET file of any format; - reads standard input.")],
    to: Annotated[
        Target,
        typer.Option("--to", help="glass: counts of R, I and S for WHO's platform (RIS); whonet: rows, for WHONET."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, format by suffix.")],
    country: Annotated[str, typer.Option(help="glass: country, three letters of ISO 3166: ARG, COL, ESP.")] = "",
    year: Annotated[
        int | None, typer.Option(min=1900, max=2999, help="glass: year of the specimens; one year a file.")
    ] = None,
    guideline: Annotated[
        list[str] | None,
        typer.Option(help="Edition for the columns of its guideline; the newest in force by default. May be repeated."),
    ] = None,
    batch: Annotated[str, typer.Option(help="Name of the data set on the platform.")] = "DS1",
    leave_out: Annotated[
        list[str] | None,
        typer.Option(help="Value that tells a screening culture: SPEC_REAS=sur or SPEC_TYPE=re. May be repeated."),
    ] = None,
    refused: Annotated[
        Path | None, typer.Option("--refused", help="File for the rows that are not exported, with the reason.")
    ] = None,
    dictionary: Annotated[
        Path | None, typer.Option("--dictionary", help="File for what each column of the export means.")
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(help="Sheet of a spreadsheet; the first visible table by default.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="The laboratory's own word on its columns (TOML).")
    ] = None,
) -> None:
    """Write counts for WHO's GLASS, or rows for WHONET.

    glass: the first isolate of patient, specimen and pathogen in a year, by R, I and S. No row of the export is a
    patient's. What cannot be exported is counted by reason, and listed by row with --refused.
    Categories are the guideline's, before expert rules.

    whonet: every isolate with WHONET's names of columns and organisms; patients are numbered anew, and names, numbers,
    birth dates and specimen numbers stay out. The other options are for glass.
    """
    from sirena.cli.answering import refuse_same_file, tell
    from sirena.whonet.mapping import load_mapping
    from sirena.whonet.reading import read_file
    from sirena.whonet.writing import check_place, find_suffix

    if to is Target.WHONET and (country or year or leave_out or guideline):
        raise UsageError("--country, --year, --leave-out and --guideline are for --to glass", hint="leave them out")
    if to is Target.GLASS and year is None:
        raise UsageError("--year is missing", hint="GLASS takes one year a file: --year 2025")
    if to is Target.GLASS and (len(country) != _COUNTRY_LETTERS or not country.isascii() or not country.isalpha()):
        raise UsageError("--country is no code of three letters", hint="ISO 3166: ARG, COL, ESP")
    targets = [path for path in (output, refused, dictionary) if path is not None]
    if len({str(path) for path in targets}) < len(targets):
        raise UsageError("two of the files to write are one", hint="name a file for each")
    for path in targets:
        find_suffix(path)
        check_place(path)
        refuse_same_file(file, path)
    source = read_file(file, sheet=sheet, mapping=load_mapping(mapping) if mapping else None)
    result: GlassExport | WhonetExport
    if year is None:
        result = _whonet(source)
        meanings = result.meanings
    else:
        from sirena.stewardship.exports_glass import COLUMNS

        result = _glass(source, guideline or [], country.upper(), year, batch, leave_out or [])
        meanings = COLUMNS
    _write(source, result, meanings, output, refused, dictionary)
    platform = f"GLASS, {country.upper()} {year}" if year is not None else "WHONET"
    tell(f"{output}: {result.frame.height:,} rows for {platform}")
    for reason, count in Counter(reason for _, reason in result.refused).most_common():
        tell(f"  not exported: {count:,} isolates, {reason}")
    if to is Target.GLASS:
        _warn_of_few(result.frame)


def _whonet(source: "WhonetFile") -> "WhonetExport":
    from datetime import date

    from sirena.cli.answering import listed, tell
    from sirena.stewardship.exports_whonet import export_whonet

    result = export_whonet(source, date.today())
    if result.columns_left_out:
        tell(f"  not exported: a second column for the same test: {listed(list(result.columns_left_out))}")
    return result


def _glass(
    source: "WhonetFile", guideline: list[str], country: str, year: int, batch: str, leave_out: list[str]
) -> "GlassExport":
    from datetime import date

    from sirena.guidelines.choice import choose_editions
    from sirena.guidelines.editions import Editions
    from sirena.operations.settings import load_settings
    from sirena.panel.frame import Isolates
    from sirena.stewardship.exclusions import read_screening
    from sirena.stewardship.exports_glass import export_glass
    from sirena.stewardship.isolate_facts import IsolateFacts
    from sirena.stewardship.isolates import read_isolates

    settings = load_settings()
    editions = choose_editions(Editions(settings.editions_folder), guideline, in_force=settings.overlay)
    tables = editions.tables(sorted({column.model_column for column in source.mic_columns.values()}))
    facts = IsolateFacts.of(Isolates.of_file(source), lambda column: tables.get(column.model_column))
    isolates = read_isolates(source, date.today())
    return export_glass(isolates, facts, country, year, batch=batch, screening=read_screening(leave_out))


def _write(
    source: "WhonetFile",
    result: "GlassExport | WhonetExport",
    meanings: Mapping[str, str],
    output: Path,
    refused: Path | None,
    dictionary: Path | None,
) -> None:
    import numpy as np
    import polars as pl

    from sirena.whonet.writing import write_file

    write_file(result.frame.with_columns(pl.all().cast(pl.String)), output)
    if refused is not None:
        numbers = source.row_numbers(np.array([row for row, _ in result.refused], dtype=np.int64)).tolist()
        reasons = [reason for _, reason in result.refused]
        write_file(pl.DataFrame({"row": [str(number) for number in numbers], "reason": reasons}), refused)
    if dictionary is not None:
        write_file(pl.DataFrame({"column": list(meanings), "meaning": list(meanings.values())}), dictionary)


def _warn_of_few(frame: "pl.DataFrame") -> None:
    """Say how many rows are so fine that they may identify somebody."""
    import polars as pl

    from sirena.cli.answering import tell

    counts = [name for name, kind in frame.schema.items() if kind == pl.Int64]
    few = frame.filter(pl.sum_horizontal(counts) < _FEW).height
    if few:
        tell(f"  {few:,} rows count fewer than {_FEW} isolates: by age, gender and origin they may identify a person")
