"""``sirena interpret``: what a release's models say of every MIC of a file."""

import enum
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena.domain.errors import UsageError
from sirena.panel.placement import Existing

if TYPE_CHECKING:
    from sirena.domain.truth_table import TruthTable
    from sirena.panel.compiled import Panel

_EXAMPLE: Final = "Example: sirena interpret isolates.sir -o interpreted.xlsx --basis"


class Engine(enum.StrEnum):
    """Where the work is done."""

    LOCAL = "local"
    RAY = "ray"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("interpret", epilog=_EXAMPLE)(interpret)


def interpret(
    file: Annotated[Path, typer.Argument(help="WHONET file of any format; - reads standard input.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write, format by suffix; - is CSV on standard output.")
    ],
    release: Annotated[str, typer.Option(help="Release to ask: active, latest, or a name.")] = "active",
    engine: Annotated[Engine, typer.Option(help="local: this machine; ray: a Ray cluster.")] = Engine.LOCAL,
    basis: Annotated[bool, typer.Option("--basis", help="Write Eti_X_basis and Eti_X_reason too.")] = False,
    existing: Annotated[
        Existing, typer.Option(help="Category columns already there: refuse, keep (write Eti_X_new) or replace them.")
    ] = Existing.REFUSE,
    sheet: Annotated[
        str | None, typer.Option(help="Sheet of a spreadsheet; the first visible table by default.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="The laboratory's own word on its columns (TOML).")
    ] = None,
    csv_style: Annotated[
        str, typer.Option(help="How a .csv is written: keep (as the input), excel-es (for Spanish Excel) or plain.")
    ] = "keep",
) -> None:
    """Interpret every test column of a file with the models of a release.

    Every input column is kept, unchanged and in order; each Eti_ column stands directly after its test column.
    A column no model of the release answers (another guideline's, or zone diameters) is NI in every row.
    """
    from sirena.cli.answering import Output, answer_file, tell, tell_about_problems
    from sirena.registry.panel_cache import load_release
    from sirena.whonet.mapping import load_mapping
    from sirena.whonet.reading import read_file

    if engine is Engine.RAY:
        raise UsageError(
            "the Ray engine is not part of this version",
            hint="leave --engine out: one machine answers 10 million results",
        )
    target = Output(output, existing, basis, csv_style)
    target.check(file)
    source = read_file(file, sheet=sheet, mapping=load_mapping(mapping) if mapping else None)
    loaded = load_release(release)
    tables = (
        {column: _with_provenance(loaded.panel, column) for column in loaded.panel.tables}
        if basis
        else loaded.panel.tables
    )
    summary = answer_file(source, target, lambda column: tables.get(column.model_column), zones=True)
    kept = " (kept copy; MLflow did not answer)" if loaded.from_cache_only else ""
    tell(f"{loaded.name}{kept} asked; written to {'standard output' if str(output) == '-' else output}")
    summary.tell()
    tell_about_problems(source)


def _with_provenance(panel: "Panel", column: str) -> "TruthTable":
    """Return a table whose basis lines name model, version, release, edition and whose labels it learnt."""
    table = panel.tables[column]
    facts = panel.provenance.get(column, {})
    source = (
        f"{facts.get('model', '?')}/{facts.get('version', '?')} of {panel.release}, "
        f"{facts.get('edition', '?')}, labels: {facts.get('basis', '?')}"
    )
    lines = table.basis or ("",) * len(table.organisms)
    return replace(table, basis=tuple(f"{source}; {line}" if line else source for line in lines))
