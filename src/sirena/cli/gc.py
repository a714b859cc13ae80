"""``sirena gc``: removing model versions and files that nothing needs."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from sirena.cli.voice import say

if TYPE_CHECKING:
    from sirena.registry.housekeeping import Collection


def register(app: typer.Typer) -> None:
    """Add ``sirena gc`` to the command line."""
    app.command(name="gc", epilog="Example: sirena gc --dry-run; sirena gc --yes")(gc)


def gc(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what could be removed; the same as without --yes.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove what is shown as not needed.")] = False,
    newest: Annotated[int, typer.Option(min=1, help="How many of the newest versions of each model to keep.")] = 3,
    days: Annotated[float, typer.Option(min=1, help="Keep everything that is less than this number of days old.")] = 30,
    months: Annotated[
        float,
        typer.Option(min=1, help="Keep the model versions of releases that are less than this number of months old."),
    ] = 24,
) -> None:
    """Find, and remove, model versions that nothing needs.

    These are versions, with their files, that no release, stage, alias or rule needs; they are removed with --yes. On
    the server the command also finds uploads that began over a day ago and never ended. These are always kept: whatever
    was in production once, certificates, the audit ledger, releases, runs with their metrics, and whatever Sirena did
    not log. Through the entry the command only shows: a removal must not overlap a backup, and only the server can
    ensure that.
    """
    from sirena.acts.collecting import abort_uploads, dead_uploads, free_models, kept_out_of_backups, remove_versions
    from sirena.acts.gatekeeping import open_registry
    from sirena.cli.progress import told
    from sirena.domain.errors import UsageError
    from sirena.registry.housekeeping import Collection, unnamed_models
    from sirena.registry.retention import Retention

    if dry_run and yes:
        raise UsageError("--dry-run and --yes exclude each other")
    retention = Retention(newest, days, months)
    registry = open_registry()
    if yes and registry.signed_in_as and not registry.settings.holds_production_stack:
        raise UsageError(
            "removing is for the server: from here nothing keeps it out of a backup",
            hint="on the server: sirena gc --yes; without --yes it shows from here too what nothing needs",
        )
    with told() as tell:
        tell("taking stock")
        collection = Collection(registry, retention)
        unneeded = collection.unneeded
        unnamed = unnamed_models(registry, retention)
        uploads = dead_uploads(registry.settings)
    _print(collection, len(unneeded), len(unnamed), len(uploads))
    if not unneeded and not unnamed and not uploads:
        say("nothing to collect")
    elif not yes:
        say("nothing was removed; to remove it: the same command with --yes")
    else:
        with kept_out_of_backups(registry.settings), told() as tell:
            removed = remove_versions(registry, collection, unneeded, retention, tell)
            freed = free_models(registry, retention, tell)
            abort_uploads(registry.settings, uploads, tell)
        say(f"removed {removed:,} versions and the files of {freed:,} stored models")
        if uploads:
            say(f"removed the parts of {len(uploads):,} unfinished uploads")
        if removed < len(unneeded):
            say(f"{len(unneeded) - removed:,} came to be needed meanwhile, or were removed by others")


def _print(collection: "Collection", unneeded: int, unnamed: int, uploads: int) -> None:
    from sirena.cli.sections import Section, print_sections

    counts = Counter(collection.needs.values())
    rows = [(str(need), f"{count:,}", "kept") for need, count in counts.most_common()]
    rows += [("nothing", f"{unneeded:,}", "not needed")] if unneeded else []
    releases = len(collection.inventory.stock.releases)
    note = f"{releases:,} releases, all kept; {unnamed:,} stored models that no version names"
    note += f"; {uploads:,} unfinished uploads older than a day" if uploads else ""
    print_sections([Section("Versions by what needs them", rows, ("needed by", "#versions", ""), note, words=(0,))])
