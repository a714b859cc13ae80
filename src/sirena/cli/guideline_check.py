"""``sirena guideline check``: what a person should check in an edition before it is used."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sirena.cli.guideline_choice import Overlay, chosen_drugs, known_editions
from sirena.cli.guideline_rows import (
    DIFFERENCE_WORDS,
    bulleted,
    edition_facts,
    edition_lines,
    row_facts,
    row_lines,
    saying,
    whom,
)
from sirena.cli.json_document import print_json
from sirena.cli.sections import Section, print_sections
from sirena.cli.voice import say

if TYPE_CHECKING:
    from sirena.guidelines.check import EditionCheck, OverriddenRow
    from sirena.guidelines.editions import Edition

_CODES_SHOWN = 5


def check(
    edition: Annotated[
        str, typer.Argument(help='Edition, such as "CLSI 2026"; CLSI or EUCAST alone is the one in force.')
    ],
    against: Annotated[str, typer.Option("--against", help="Edition to compare it with.")] = "",
    drugs: Annotated[str, typer.Option("--drugs", help="WHONET codes of antimicrobials, separated by commas.")] = "",
    overlay: Overlay = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List what a person should check in an edition.

    These are rows read only once, doubts, rows without effect, and differences from another edition. Counts are printed
    first, then the rows. Nothing is changed.

    Example: sirena guideline check "EUCAST 2027" --against "EUCAST 2026"
    """
    from sirena.guidelines.check import check_edition

    editions = known_editions()
    loaded_edition = editions.load(edition, overlay)
    other_edition = editions.load(against) if against else None
    outcome = check_edition(loaded_edition, other_edition, chosen_drugs(drugs))
    if as_json:
        print_json(_document(loaded_edition, outcome))
        return
    for line in edition_lines(loaded_edition):
        say(line)
    say("")
    counts = [(name, str(number)) for name, number in _counts(outcome)]
    print_sections([Section("To look at", counts, ("what", "#rows"), words=(0,))])
    _print_rows(loaded_edition, outcome)
    print_sections(_differences(outcome))


def _counts(outcome: "EditionCheck") -> list[tuple[str, int]]:
    counts = [
        ("rows in all", outcome.rows),
        ("statements of expected resistance in all", outcome.expected_resistance),
        ("stated twice", len(outcome.repeated_statements)),
        ("one MIC would be S and R", len(outcome.contradictory)),
        ("overridden by a wider or an equal group, with another answer", len(outcome.overridden)),
        ("for a group that no organism belongs to", len(outcome.memberless)),
        ("never decide, and would change nothing", len(outcome.idle)),
        ("in doubt", len(outcome.in_doubt)),
        ("rest on one reading", len(outcome.one_reading)),
    ]
    if outcome.against:
        by_gravity = Counter(item.gravity for item in outcome.differences)
        counts.append((f"differ from {outcome.against}", len(outcome.differences)))
        counts += [(f"  {gravity.words}", number) for gravity, number in sorted(by_gravity.items())]
    return counts


def _print_rows(edition: "Edition", outcome: "EditionCheck") -> None:
    parts = (
        ("Stated twice", outcome.repeated_statements),
        ("One MIC would be S and R", outcome.contradictory),
        ("For a group that no organism belongs to", outcome.memberless),
        ("Never decide, and would change nothing", outcome.idle),
        ("In doubt", outcome.in_doubt),
        ("Rest on one reading, without another doubt", [row for row in outcome.one_reading if not row.doubt]),
    )
    if outcome.overridden:
        say("Overridden by a wider or an equal group, with another answer")
        for line in bulleted(_override(edition, item) for item in outcome.overridden):
            say(line)
        say("")
    for title, rows in parts:
        if rows:
            say(title)
            for row in rows:
                for line in row_lines(row, edition.guideline):
                    say(line)
            say("")


def _override(edition: "Edition", item: "OverriddenRow") -> str:
    codes = ", ".join(item.organisms[:_CODES_SHOWN]) + (" …" if len(item.organisms) > _CODES_SHOWN else "")
    reach = "always" if item.always else f"for {len(item.organisms)} of its organisms"
    return (
        f"{item.row.drug}  {whom(item.row)}: {saying(item.row, edition.guideline)}; overridden {reach} by "
        f"{whom(item.before)}: {saying(item.before, edition.guideline)} ({codes})"
    )


def _differences(outcome: "EditionCheck") -> list[Section]:
    if not outcome.against:
        return []
    rows = [
        (item.gravity.words, item.drug, item.rank, item.group, item.site, item.before or "-", item.after or "-")
        for item in outcome.differences
    ]
    headings = ("what", "drug", "rank", "group", "site", outcome.against, outcome.edition)
    note = "" if rows else "The two say the same."
    title = f"From {outcome.against} to {outcome.edition}, the gravest first"
    return [Section(title, rows, headings, note, DIFFERENCE_WORDS)]


def _document(edition: "Edition", outcome: "EditionCheck") -> dict[str, Any]:
    return {
        **edition_facts(edition),
        "counts": dict(_counts(outcome)),
        "repeated": [row_facts(row) for row in outcome.repeated_statements],
        "contradictory": [row_facts(row) for row in outcome.contradictory],
        "overridden": [
            {
                "row": row_facts(item.row),
                "before": row_facts(item.before),
                "organisms": list(item.organisms),
                "always": item.always,
            }
            for item in outcome.overridden
        ],
        "memberless": [row_facts(row) for row in outcome.memberless],
        "idle": [row_facts(row) for row in outcome.idle],
        "in_doubt": [row_facts(row) for row in outcome.in_doubt],
        "one_reading": [row_facts(row) for row in outcome.one_reading],
        "against": outcome.against,
        "differences": [
            {
                "gravity": item.gravity.name.lower(),
                "change": item.change.value,
                "drug": item.drug,
                "rank": item.rank,
                "group": item.group,
                "site": item.site,
                "before": item.before,
                "after": item.after,
            }
            for item in outcome.differences
        ],
    }
