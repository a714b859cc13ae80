"""``sirena gc``: removing model versions and files that nothing needs."""

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from sirena.cli.progress import step_reporter
from sirena.cli.sections import Section, print_sections
from sirena.cli.voice import say
from sirena.domain.errors import UsageError

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
    from sirena.registry.housekeeping import Collection, unnamed_models
    from sirena.registry.retention import Retention

    if dry_run and yes:
        raise UsageError("--dry-run and --yes exclude each other")
    retention = Retention(newest, days, months)
    registry = open_registry()
    if yes and registry.signed_in_as and not registry.settings.holds_production_stack:
        raise UsageError(
            "only the server can remove versions: a removal from here could overlap a backup",
            hint="on the server: sirena gc --yes; without --yes the command also works from here",
        )
    with step_reporter() as report_step:
        report_step("reading the registry")
        collection = Collection(registry, retention)
        unneeded_versions = collection.unneeded
        models_without_version = unnamed_models(registry, retention)
        uploads = dead_uploads(registry.settings)
    _print(collection, len(unneeded_versions), len(models_without_version), len(uploads))
    if not unneeded_versions and not models_without_version and not uploads:
        say("nothing to collect")
    elif not yes:
        say("nothing was removed; to remove it: the same command with --yes")
    else:
        with kept_out_of_backups(registry.settings), step_reporter() as report_step:
            removed_versions = remove_versions(registry, collection, unneeded_versions, retention, report_step)
            freed_models = free_models(registry, retention, report_step)
            abort_uploads(registry.settings, uploads, report_step)
        say(f"removed {removed_versions:,} versions and the files of {freed_models:,} stored models")
        if uploads:
            say(f"removed the parts of {len(uploads):,} unfinished uploads")
        if removed_versions < len(unneeded_versions):
            say(f"{len(unneeded_versions) - removed_versions:,} were needed again meanwhile, or removed by others")


def _print(collection: "Collection", unneeded_versions: int, models_without_version: int, uploads: int) -> None:
    counts = Counter(collection.needs.values())
    rows = [(str(purpose), f"{count:,}", "kept") for purpose, count in counts.most_common()]
    rows += [("nothing", f"{unneeded_versions:,}", "not needed")] if unneeded_versions else []
    releases = len(collection.inventory.stock.releases)
    note = f"{releases:,} releases, all kept; {models_without_version:,} stored models that no version names"
    note += f"; {uploads:,} unfinished uploads older than a day" if uploads else ""
    print_sections([Section("Versions by what needs them", rows, ("needed by", "#versions", ""), note, words=(0,))])
