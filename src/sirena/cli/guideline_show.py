"""``sirena guideline show``: printing an edition row by row, with source, number of readings and doubts."""

import csv
import sys
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena.cli.guideline_choice import Overlay, chosen_drugs, chosen_organism, known_editions
from sirena.cli.guideline_rows import edition_facts, edition_lines, row_facts, row_lines
from sirena.cli.json_document import print_json
from sirena.cli.voice import say

if TYPE_CHECKING:
    from sirena.domain.organisms import Organism
    from sirena.guidelines.editions import Edition
    from sirena.guidelines.rows import Breakpoint, ExpectedResistance

OVERLAY_HEADER: Final = (
    *("who", "when", "why", "edition", "action", "drug", "rank", "group", "site"),
    *("S", "R", "middle", "source"),
)
"""Columns of the printed CSV: those of an overlay, so that rows can be edited into one, and the source."""


def show(
    edition: Annotated[
        str, typer.Argument(help='Edition, such as "CLSI 2026"; CLSI or EUCAST alone is the one in force.')
    ],
    drugs: Annotated[str, typer.Option("--drugs", help="WHONET codes of antimicrobials, separated by commas.")] = "",
    organism: Annotated[
        str, typer.Option("--organism", help="Print only the rows for this organism (code or name).")
    ] = "",
    overlay: Overlay = None,
    as_csv: Annotated[
        bool,
        typer.Option(
            "--csv", help="Print the rows in the format of the hospital's own rules (CSV), as a start for editing."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Print the breakpoints of an edition.

    Each row is shown with its source, number of readings, doubts and conditions.

    Example: sirena guideline show "CLSI 2026" --drugs AMK,CIP --organism "E. coli"
    """
    loaded_edition = known_editions().load(edition, overlay)
    member = chosen_organism(organism) if organism else None
    rows = sorted(_rows(loaded_edition, chosen_drugs(drugs), member), key=_order)
    if as_csv:
        _print_overlay(loaded_edition, rows)
    elif as_json:
        document = {**edition_facts(loaded_edition), "rows": [row_facts(row) for row in rows]}
        print_json(document)
    else:
        _print_page(loaded_edition, rows)


def _rows(edition: "Edition", drugs: set[str], member: "Organism | None") -> "list[Breakpoint | ExpectedResistance]":
    rows: list[Breakpoint | ExpectedResistance] = [
        row
        for row in edition.expected_resistance
        if (not drugs or row.drug in drugs) and (member is None or row.covers(member))
    ]
    rows += [
        row
        for row in edition.breakpoints
        if (not drugs or row.drug in drugs) and (member is None or member.belongs_to(row.rank, row.group))
    ]
    return rows


def _order(row: "Breakpoint | ExpectedResistance") -> tuple[str, bool, int, str, tuple[str, ...]]:
    """Return the key by which rows are sorted: by drug, and then in the order in which they decide."""
    sites = getattr(row, "sites", None)
    return row.drug, sites is not None, row.rank, row.group, sites or ()


def _print_page(edition: "Edition", rows: "list[Breakpoint | ExpectedResistance]") -> None:
    letter = "at or above" if edition.guideline.letter == "N" else "above"
    for line in edition_lines(edition):
        say(line)
    say(f"  figures in mg/L: S at or below, R {letter}; S <= 0.001: no MIC is S")
    drug = ""
    for row in rows:
        if row.drug != drug:
            drug = row.drug
            say("")
        for line in row_lines(row, edition.guideline):
            say(line)
    say(f"\n{len(rows)} rows")


def _print_overlay(edition: "Edition", rows: "list[Breakpoint | ExpectedResistance]") -> None:
    from sirena.guidelines.tables import spell_concentration

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(OVERLAY_HEADER)
    base = edition.name.partition(" + ")[0]
    for row in rows:
        facts = row_facts(row)
        if facts.get("except"):
            # a rule states no exceptions: without them it would say more
            continue
        figures = [spell_concentration(facts.get(column)) for column in ("S", "R")]
        place = facts["drug"], facts["rank"], facts["group"], ", ".join(facts.get("sites", ()))
        writer.writerow(("", "", "", base, facts["statement"], *place, *figures, facts.get("middle", ""), row.source))
