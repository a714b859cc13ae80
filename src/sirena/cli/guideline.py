"""``sirena guideline``: which editions there are, what they say, importing others, and what changes between two."""

import csv
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sirena.cli.sections import Section, print_sections

if TYPE_CHECKING:
    from sirena.domain.organisms import Organism
    from sirena.guidelines.editions import Edition, Editions

Overlay = Annotated[
    Path | None, typer.Option("--overlay", help="CSV of a hospital's own rules, laid over the edition.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    guideline = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Guideline editions: list, show, import, compare."
    )
    guideline.command("list")(list_editions)
    guideline.command("show")(show)
    guideline.command("import")(import_tables)
    guideline.command("diff")(diff)
    app.add_typer(guideline, name="guideline")


def list_editions() -> None:
    """Tell which guideline editions can be used, since when each is in force, and which one is the default.

    Example: sirena guideline list
    """
    from sirena.guidelines.editions import shipped

    editions = _editions()
    default = set(editions.editions_in_force().values())
    rows, doubts = [], []
    for name in editions.names:
        edition = editions.load(name)
        since = edition.record.in_force_since
        rows.append(
            (
                name,
                since.isoformat() if since else "not stated",
                "default" if name in default else "",
                str(len(edition.breakpoints)),
                str(len(edition.expected_resistance)),
                str(len(edition.drugs)),
                "shipped" if shipped(name) else "imported",
                edition.digest[:12],
            )
        )
        doubts += [(name, doubt) for doubt in edition.record.doubts]
    header = ("edition", "in force since", "", "#rows", "#expected", "#antimicrobials", "origin", "digest")
    note = "The default of a guideline is its newest edition in force; a guideline alone (CLSI, EUCAST) means it."
    print_sections(
        [
            Section("Guideline editions", rows, header, note),
            Section("What a person with the documents should look at", doubts, ("edition", "doubt")),
        ]
    )


def _editions() -> "Editions":
    from sirena.guidelines.editions import Editions
    from sirena.operations.settings import load_settings

    return Editions(load_settings().editions_folder)


def show(
    edition: Annotated[str, typer.Argument(help='Edition, as in "CLSI 2025".')],
    drugs: Annotated[str, typer.Option("--drugs", help="Antimicrobial codes, separated by commas.")] = "",
    organism: Annotated[str, typer.Option("--organism", help="Only rows for this organism (code or name).")] = "",
    overlay: Overlay = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print rows of an overlay, to edit one from.")] = False,
) -> None:
    """Print what an edition says: breakpoints and expected resistance, with their sources.

    Each row tells what kind of statement it is, how many independent readings of the document agree, and any doubt.

    Example: sirena guideline show "CLSI 2025" --drugs AMK,CIP --organism "E. coli"
    """
    loaded = _editions().load(edition, overlay)
    rows = sorted(_rows(loaded, _drugs(drugs), _organism(organism) if organism else None), key=lambda row: row.order)
    if as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow((*OVERLAY_HEADER, *_SHOWN))
        base = loaded.name.partition(" + ")[0]
        writer.writerows(("", "", "", base, row.action, *row.cells) for row in rows if row.action)
        return
    letter = "at or above" if loaded.guideline.letter == "N" else "above"
    note = f"mg/L; S at or below, R {letter}; S 0.001: no MIC is S; R any: expected resistance."
    lines = [(*row.cells[:5], row.cells[5] or ("any" if row.expected else ""), *row.cells[6:]) for row in rows]
    header = (*OVERLAY_HEADER[5:], *("#readings" if name == "readings" else name for name in _SHOWN))
    print_sections([Section(loaded.name, lines, header, note)])


OVERLAY_HEADER = ("who", "when", "why", "edition", "action", "drug", "rank", "group", "site", "S", "R", "middle")
"""Columns of an overlay, so that rows shown can be edited into one."""
_SHOWN = ("statement", "source", "readings", "doubt")
"""What is shown besides: an overlay leaves it unread."""
_EXPECTED = "expected resistance"


@dataclass(frozen=True)
class _Row:
    """One row of an edition on its way to the terminal."""

    order: tuple[str, bool, int, str, tuple[str, ...]]
    """Per drug what decides first stands first."""
    expected: bool
    cells: tuple[str, ...]
    """drug, rank, group, site, S, R, middle, statement, source, readings, doubt."""

    @property
    def action(self) -> str | None:
        """What an overlay would call the row; None for a statement that an overlay cannot make."""
        statement = self.cells[7]
        return statement if statement in (_EXPECTED, "breakpoint", "block") else None


def _rows(edition: "Edition", drugs: set[str], member: "Organism | None") -> Iterable[_Row]:
    from sirena.guidelines.tables import rank_name, spell_concentration

    for statement in edition.expected_resistance:
        if (not drugs or statement.drug in drugs) and (member is None or statement.covers(member)):
            whom = statement.drug, rank_name(statement.rank), statement.group
            origin = statement.source, str(statement.readings), statement.doubt
            order = statement.drug, False, statement.rank, statement.group, ()
            yield _Row(order, True, (*whom, "", "", "", "", _EXPECTED, *origin))
    for row in edition.breakpoints:
        if (not drugs or row.drug in drugs) and (member is None or member.belongs_to(row.rank, row.group)):
            figures = spell_concentration(row.susceptible), spell_concentration(row.resistant), row.middle.value
            whom = row.drug, rank_name(row.rank), row.group
            origin = row.source, str(row.readings), row.doubt
            cells = (*whom, ", ".join(row.sites), *figures, row.statement.value, *origin)
            yield _Row((row.drug, True, row.rank, row.group, row.sites), False, cells)


def import_tables(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="WHONET's Breakpoints, Organisms, ExpectedResistancePhenotypes (.txt, .gz); EUCAST's workbook (.xlsx)."
        ),
    ],
    edition: Annotated[
        list[str] | None, typer.Option("--edition", help='Edition to import, "CLSI 2024"; the newest if not given.')
    ] = None,
    in_force_since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"], help="Day from which it is in force; without one it is used only by its name."
        ),
    ] = None,
) -> None:
    """Import WHONET's resource tables, or EUCAST's workbook, as further editions, stored below SIRENA_HOME.

    Importing again replaces what was imported before. Of EUCAST's workbook, cells that cannot be read with certainty
    are listed for a person, and nothing of them is taken.

    Example: sirena guideline import Breakpoints.txt Organisms.txt --edition "CLSI 2023"
    """
    from sirena.guidelines.whonet_import import import_whonet
    from sirena.operations.settings import load_settings

    if any(path.suffix.lower() == ".xlsx" for path in files):
        from sirena.cli.guideline_workbook import import_workbook
        from sirena.domain.errors import UsageError

        if len(files) > 1 or edition or in_force_since:
            raise UsageError(
                "EUCAST's workbook is imported alone: it says its edition and date itself",
                hint="give one .xlsx, without --edition and --in-force-since",
            )
        import_workbook(files[0])
        return
    since = in_force_since.date() if in_force_since else None
    folder = load_settings().editions_folder
    for imported in import_whonet(files, folder, edition or (), in_force_since=since):
        rows = [(f"left out: {reason}", str(count)) for reason, count in sorted(imported.skipped.items())]
        facts = [
            ("breakpoints", str(imported.breakpoints)),
            ("expected resistance", str(imported.expected_resistance)),
            *rows,
        ]
        print_sections([Section(imported.name, facts, ("rows", "#"))])


def diff(
    first: Annotated[str, typer.Argument(help='Edition, as in "CLSI 2024".')],
    second: Annotated[str, typer.Argument(help="Edition to compare with; the first itself if not given.")] = "",
    overlay: Overlay = None,
    drugs: Annotated[str, typer.Option("--drugs", help="Antimicrobial codes, separated by commas.")] = "",
) -> None:
    """Name what changes from one edition to another, or through a local overlay.

    Example: sirena guideline diff "CLSI 2025" --overlay hospital.csv
    """
    from sirena.domain.errors import UsageError
    from sirena.guidelines.difference import difference

    if not second and overlay is None:
        raise UsageError("there is nothing to compare with", hint="give a second edition, or an --overlay")
    wanted = _drugs(drugs)
    editions = _editions()
    before, after = editions.load(first), editions.load(second or first, overlay)
    found = [item for item in difference(before, after) if not wanted or item.drug in wanted]
    rows = [(item.drug, item.rank, item.group, item.site, item.before or "-", item.after or "-") for item in found]
    header = ("drug", "rank", "group", "site", before.name, after.name)
    note = f"{len(rows)} differences." if rows else "The two say the same."
    print_sections([Section(f"From {before.name} to {after.name}", rows, header, note)])


def _drugs(text: str) -> set[str]:
    from sirena.domain.antimicrobials import ANTIMICROBIALS
    from sirena.domain.errors import UsageError

    codes = {part.strip().upper() for part in text.split(",") if part.strip()}
    if codes - ANTIMICROBIALS.keys():
        raise UsageError("a code is no antimicrobial of Sirena", hint=f"codes are {', '.join(ANTIMICROBIALS)}")
    return codes


def _organism(text: str) -> "Organism":
    from sirena.domain.errors import UsageError
    from sirena.domain.organisms import ORGANISMS, resolve

    code = resolve(text)
    if code is None:
        raise UsageError("the organism is not known", hint="give a WHONET organism code or a species name")
    return ORGANISMS[code]
