"""Output of ``sirena release diff``: changes by ranges, cell by cell, in a hospital's own file, or of the shadow."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from sirena.cli.json_document import print_json
from sirena.cli.sections import Section, print_sections
from sirena.cli.voice import say
from sirena.domain.errors import UsageError

if TYPE_CHECKING:
    from sirena.panel.compiled import Panel
    from sirena.whonet.file import WhonetFile

_PAGE: Final = 40
"""Most lines printed without ``--all``."""
_HEADINGS: Final = ("change", "column", "organisms", "site", "MIC mg/L", "#answers")


def print_ranges(old: "Panel", new: "Panel", *, every: bool, as_json: bool) -> None:
    """Print the changes as ranges of MICs by group of organisms, gravest first; all if `every`, else at most a page."""
    from sirena.registry.release_ranges import range_changes

    changes = range_changes(old, new)
    if as_json:
        names = ("column", "organisms", "group", "site", "mics", "before", "after", "answers")
        facts = [{name: getattr(change, name) for name in names} for change in changes]
        document = {"before": old.release, "after": new.release, "changes": facts}
        print_json(document)
        return
    page = changes if every else changes[:_PAGE]
    rows = [
        (_arrow(item.before, item.after), item.column, item.group, item.site, item.mics, f"{item.answers:,}")
        for item in page
    ]
    counts: Counter[str] = Counter()
    for item in changes:
        counts[_arrow(item.before, item.after)] += item.answers
    more_text = f"; {len(changes) - len(page)} more ranges, --all prints them" if len(page) < len(changes) else ""
    sums = ", ".join(f"{change} {count:,}" for change, count in counts.items())
    ending = f"{more_text}. {sums}" if sums else f"{more_text}."
    note = f"{counts.total():,} answers differ in {len(changes)} ranges, the gravest first{ending}"
    print_sections([Section(f"From {old.release} to {new.release}", rows, _HEADINGS, note)])


def print_cells(old: "Panel", new: "Panel") -> None:
    """Print all changed answers, a line each, separated by tabs."""
    from sirena.registry.release_diff import differences

    typer.echo("column\torganism\tmic\tbefore\tafter\tsite")
    count = 0
    for change in differences(old, new):
        count += 1
        typer.echo(f"{change.column}\t{change.organism}\t{change.mic}\t{change.before}\t{change.after}\t{change.site}")
    say(f"{count} categories differ between {old.release} and {new.release}", err=True)


def print_file_changes(
    old: "Panel", new: "Panel", file: "WhonetFile", rows_file: Path | None, *, as_json: bool
) -> None:
    """Print how many results of a file get another category, changes from S to R first.

    Args:
        old: the panel that answers now.
        new: the panel that is to answer.
        file: file of the hospital.
        rows_file: file to write with row and specimen number of each changed result; None to write no file.
        as_json: True prints JSON.
    """
    from sirena.panel.file_changes import file_changes, gravest_first
    from sirena.panel.frame import Isolates
    from sirena.stewardship.changed_results import list_changes
    from sirena.whonet.writing import write_file

    changes = gravest_first(file_changes(Isolates.of_file(file), old, new))
    if rows_file is not None:
        write_file(list_changes(file, changes), rows_file)
    facts = [(item.before, item.after, item.header, len(item.rows)) for item in changes]
    total = sum(count for *_, count in facts)
    if as_json:
        documents = [dict(zip(("before", "after", "column", "results"), fact, strict=True)) for fact in facts]
        document = {"before": old.release, "after": new.release, "results": total, "changes": documents}
        print_json(document)
        return
    rows = [(_arrow(before, after), column, f"{count:,}") for before, after, column, count in facts]
    place_text = f"; row and specimen number of each are in {rows_file}" if rows_file else ""
    note = f"{total:,} results of {file.frame.height:,} isolates get another category{place_text}."
    title = f"In this file, from {old.release} to {new.release}"
    print_sections([Section(title, rows, ("change", "column", "#results"), note)])


def print_shadow(document: Mapping[str, Any], *, every: bool, as_json: bool) -> None:
    """Print the answers that the shadow release would change, the gravest first.

    Args:
        document: the service's counts, as JSON.
        every: True prints all lines, not only a page.
        as_json: True prints JSON.

    Raises:
        UsageError: there is no shadow release.
    """
    if as_json:
        print_json(dict(document))
        return
    shadow, active = document["shadow"], document["active"]
    if shadow is None:
        raise UsageError(
            document["failure"] or "there is no shadow release",
            hint="name one, `sirena release shadow latest`; the service loads it within seconds",
        )
    if active is None:
        say(f"{shadow} is the shadow release; no request was answered yet")
        return
    changes = document["changes"]
    page = changes if every else changes[:_PAGE]
    rows = [
        (_arrow(item["before"], item["after"]), item["column"], item["group"], f"{item['answers']:,}") for item in page
    ]
    since = f"{datetime.fromtimestamp(document['since'], UTC):%Y-%m-%d %H:%M} UTC"
    more_text = f"; {len(changes) - len(page)} more lines, --all prints them" if len(page) < len(changes) else ""
    dropped_text = (
        f"; {document['dropped']:,} more requests came too fast to be compared" if document["dropped"] else ""
    )
    note = (
        f"{document['changed']:,} of {document['answers']:,} answers to {document['compared']:,} requests differ"
        f"{more_text}{dropped_text}. Counted since {since}, when the service began to compare these two; "
        "a restart of the service resets the counts."
    )
    title = f"From {active} to the shadow release {shadow}"
    print_sections([Section(title, rows, ("change", "column", "organisms", "#answers"), note)])
    if document["unanswered"]:
        say(f"{shadow} could not answer {document['unanswered']:,} requests that {active} answered")


def _arrow(before: str, after: str) -> str:
    return f"{before or 'no model'} -> {after or 'no model'}"
