"""``sirena reference``: what a guideline edition says of every MIC of a file."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena.domain.errors import UsageError
from sirena.panel.placement import Existing

if TYPE_CHECKING:
    from sirena.domain.truth_table import TruthTable
    from sirena.guidelines.cuts import CensoredPolicy
    from sirena.guidelines.editions import Edition
    from sirena.guidelines.sites import SiteChoice
    from sirena.panel.frame import SiteTables
    from sirena.whonet.file import WhonetFile

_Compile = Callable[["SiteChoice"], dict[str, "TruthTable"]]
_EXAMPLE: Final = 'Example: sirena reference isolates.sir -o interpreted.xlsx --guideline "EUCAST 2025" --basis'


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("reference", epilog=_EXAMPLE)(reference)


def reference(
    file: Annotated[Path, typer.Argument(help="WHONET file of any format; - reads standard input.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write, format by suffix; - is CSV on standard output.")
    ],
    guideline: Annotated[str, typer.Option(help="Guideline edition to apply.")] = "CLSI 2025",
    overlay: Annotated[Path | None, typer.Option(help="A hospital's own rules over the edition (CSV).")] = None,
    site_from_specimen: Annotated[
        bool, typer.Option("--site-from-specimen", help="Let SPEC_TYPE choose the site: sf meningitis, ur UTI.")
    ] = False,
    no_intrinsic: Annotated[
        bool, typer.Option("--no-intrinsic", help="Leave expected (intrinsic) resistance out.")
    ] = False,
    pk_pd: Annotated[bool, typer.Option("--pk-pd", help="Where no organism's row holds, apply PK/PD rows.")] = False,
    censored: Annotated[
        str, typer.Option(help="Censored MICs on both sides of a cut point: refuse (NI) or whonet (read the number).")
    ] = "refuse",
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
    """Interpret every MIC column of a file with a guideline edition, without any model.

    Every input column is kept, unchanged and in order; each Eti_ column stands directly after its MIC column.
    The asked edition is applied to every MIC column, whatever guideline the column's name states.
    """
    from sirena.cli.answering import Output, answer_file, tell, tell_about_problems, tell_about_zones
    from sirena.guidelines.editions import load_edition
    from sirena.guidelines.interpreter import compile_tables
    from sirena.guidelines.sites import SiteChoice
    from sirena.operations.settings import load_settings
    from sirena.whonet.mapping import load_mapping
    from sirena.whonet.reading import read_file

    policy = _policy(censored)
    target = Output(output, existing, basis, csv_style)
    target.check(file)
    edition = load_edition(guideline, overlay, in_force=load_settings().overlay)
    source = read_file(file, sheet=sheet, mapping=load_mapping(mapping) if mapping else None)
    tell_about_zones(source)
    _tell_about_letters(source, edition)
    _tell_about_unknown(source)
    drugs = {column.drug for column in source.mic_columns.values()}

    def compile_for(site: "SiteChoice") -> dict[str, "TruthTable"]:
        return compile_tables(edition, drugs, intrinsic=not no_intrinsic, pk_pd=pk_pd, censored=policy, site=site)

    tables = compile_for(SiteChoice.DEFAULT)
    sites = _site_tables(source, compile_for) if site_from_specimen else None
    summary = answer_file(source, target, lambda column: tables[column.drug], site_tables=sites)
    tell(f"{edition.name} applied; written to {'standard output' if str(output) == '-' else output}")
    summary.tell()
    tell_about_problems(source)


def _policy(text: str) -> "CensoredPolicy":
    from sirena.guidelines.cuts import CensoredPolicy

    try:
        return CensoredPolicy(text.lower())
    except ValueError:
        raise UsageError(
            "--censored knows no such policy", hint=f"one of {', '.join(policy.value for policy in CensoredPolicy)}"
        ) from None


def _tell_about_letters(file: "WhonetFile", edition: "Edition") -> None:
    from sirena.cli.answering import listed, tell

    others = [header for header, column in file.mic_columns.items() if column.guideline != edition.guideline.letter]
    if others:
        tell(f"{edition.name} is applied although their names state another guideline: {listed(others)}")


def _tell_about_unknown(file: "WhonetFile") -> None:
    from sirena.cli.answering import listed, tell
    from sirena.domain.antimicrobials import ANTIMICROBIALS

    others = [header for header, column in file.mic_columns.items() if column.drug not in ANTIMICROBIALS]
    if others:
        tell(f"not among the {len(ANTIMICROBIALS)} antimicrobials, so NI in every row: {listed(others)}")


def _site_tables(file: "WhonetFile", compile_for: "_Compile") -> "SiteTables":
    from sirena.guidelines.sites import SPECIMEN_SITES, SiteChoice
    from sirena.panel.frame import SiteTables

    if file.specimen_column is None:
        raise UsageError(
            f"{file.path}: no column names the specimen, so it cannot choose the site",
            hint="name it SPEC_TYPE (WHONET codes such as sf, ur), or leave out --site-from-specimen",
        )
    tables = {site: compile_for(site) for site in SiteChoice}
    return SiteTables(
        file.specimen_column,
        lambda text: SPECIMEN_SITES.get((text or "").strip().lower(), SiteChoice.DEFAULT),
        lambda site, column: tables[SiteChoice(site)][column.drug],
    )
