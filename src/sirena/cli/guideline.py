"""``sirena guideline``: listing, showing, importing, comparing and checking guideline editions."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena.cli.guideline_check import check
from sirena.cli.guideline_choice import Overlay, chosen_drugs, known_editions
from sirena.cli.guideline_rows import DIFFERENCE_WORDS
from sirena.cli.guideline_show import show
from sirena.cli.guideline_workbook import import_workbook
from sirena.cli.json_document import AsJson, print_json
from sirena.cli.sections import Section, print_sections
from sirena.domain.errors import UsageError

if TYPE_CHECKING:
    from sirena.guidelines.difference import Difference

_PAGE: Final = 40
"""Most lines printed without ``--all``."""


def register(app: typer.Typer) -> None:
    """Add the group of commands ``sirena guideline`` to the command line."""
    guideline = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="Guideline editions: list, show, import, compare, check."
    )
    guideline.command("list")(list_editions)
    guideline.command("show")(show)
    guideline.command("import")(import_tables)
    guideline.command("diff")(diff)
    guideline.command("check")(check)
    app.add_typer(guideline, name="guideline")


def list_editions(as_json: AsJson = False) -> None:
    """List the guideline editions.

    The list shows from which day each is in force, and which one is the default.

    Example: sirena guideline list
    """
    from sirena.guidelines.editions import is_shipped

    editions = known_editions()
    default = set(editions.editions_in_force().values())
    editions_by_name = {name: editions.load(name) for name in editions.names}
    documents = [
        {
            "edition": name,
            "in_force_since": since.isoformat() if (since := edition.record.in_force_since) else None,
            "default": name in default,
            "rows": len(edition.breakpoints),
            "expected": len(edition.expected_resistance),
            "antimicrobials": len(edition.drugs),
            "origin": "shipped" if is_shipped(name) else "imported",
            "digest": edition.digest,
            "doubts": edition.record.doubts,
        }
        for name, edition in editions_by_name.items()
    ]
    if as_json:
        print_json(documents)
        return
    rows = [
        (
            str(document["edition"]),
            str(document["in_force_since"] or "not stated"),
            "default" if document["default"] else "",
            *(str(document[count]) for count in ("rows", "expected", "antimicrobials", "origin")),
            str(document["digest"])[:12],
        )
        for document in documents
    ]
    doubts = [(name, doubt) for name, edition in editions_by_name.items() for doubt in edition.record.doubts]
    headings = ("edition", "in force since", "", "#rows", "#expected", "#antimicrobials", "origin", "digest")
    note = "The default of a guideline is its newest edition in force; a guideline alone (CLSI, EUCAST) means it."
    print_sections(
        [
            Section("Guideline editions", rows, headings, note, words=(2,)),
            Section("What a person with the documents should look at", doubts, ("edition", "doubt")),
        ]
    )


def import_tables(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="WHONET's Breakpoints, Organisms, ExpectedResistancePhenotypes (.txt, .gz), or EUCAST's workbook "
            "(.xlsx)."
        ),
    ],
    edition: Annotated[
        list[str] | None,
        typer.Option("--edition", help='Edition to import, such as "CLSI 2024"; by default the newest.'),
    ] = None,
    in_force_since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Day from which the edition is in force; without it the edition is used only where it is named.",
        ),
    ] = None,
) -> None:
    """Import editions from WHONET's tables or EUCAST's workbook.

    They are stored below SIRENA_HOME. Importing an edition again replaces it. Cells of EUCAST's workbook that cannot be
    read with certainty are not imported; they are listed for you to check.

    Example: sirena guideline import Breakpoints.txt Organisms.txt --edition "CLSI 2023"
    """
    from sirena.guidelines.whonet_import import import_whonet
    from sirena.settings.catalogue import load_settings

    if any(path.suffix.lower() == ".xlsx" for path in files):
        if len(files) > 1 or edition or in_force_since:
            raise UsageError(
                "EUCAST's workbook is imported alone: it says its edition and date itself",
                hint="give one .xlsx, without --edition and --in-force-since",
            )
        import_workbook(files[0])
        return
    since = in_force_since.date() if in_force_since else None
    folder = load_settings().editions_folder
    for edition_import in import_whonet(files, folder, edition or (), in_force_since=since):
        rows = [(f"left out: {reason}", str(count)) for reason, count in sorted(edition_import.skipped_rows.items())]
        facts = [
            ("breakpoints", str(edition_import.breakpoints)),
            ("expected resistance", str(edition_import.expected_resistance)),
            *rows,
        ]
        print_sections([Section(edition_import.name, facts, ("rows", "#"))])


def diff(
    first: Annotated[str, typer.Argument(help='Edition, such as "CLSI 2024".')],
    second: Annotated[
        str, typer.Argument(help="Edition to compare with; by default the first one, for --overlay.")
    ] = "",
    overlay: Overlay = None,
    drugs: Annotated[str, typer.Option("--drugs", help="WHONET codes of antimicrobials, separated by commas.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Print all differences, not only a page.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print all differences as JSON.")] = False,
) -> None:
    """Show the differences between two editions.

    With --overlay, what the hospital's own rules change is shown. The gravest differences come first, at most a page.

    Example: sirena guideline diff "CLSI 2025" --overlay hospital.csv
    """
    from sirena.guidelines.difference import difference

    if not second and overlay is None:
        raise UsageError("there is nothing to compare with", hint="give a second edition, or an --overlay")
    drug_codes = chosen_drugs(drugs)
    editions = known_editions()
    before, after = editions.load(first), editions.load(second or first, overlay)
    differences = [item for item in difference(before, after) if not drug_codes or item.drug in drug_codes]
    if as_json:
        print_json([_facts(item) for item in differences])
        return
    rows = [
        (item.gravity.words, item.drug, item.rank, item.group, item.site, item.before or "-", item.after or "-")
        for item in (differences if every else differences[:_PAGE])
    ]
    headings = ("what", "drug", "rank", "group", "site", before.name, after.name)
    more_text = f" {len(differences) - len(rows)} more with --all." if len(rows) < len(differences) else ""
    note = f"{len(differences)} differences, the gravest first.{more_text}" if rows else "The two say the same."
    print_sections([Section(f"From {before.name} to {after.name}", rows, headings, note, words=DIFFERENCE_WORDS)])


def _facts(item: "Difference") -> dict[str, str]:
    names = ("drug", "rank", "group", "site", "before", "after")
    return {"what": item.gravity.words, **{name: getattr(item, name) for name in names}}
