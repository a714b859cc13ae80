"""``sirena gc``: model versions and files that nothing needs."""

from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sirena.cli.voice import say

if TYPE_CHECKING:
    from sirena.operations.settings import Settings
    from sirena.operations.steps import Tell
    from sirena.operations.unfinished_uploads import UnfinishedUpload
    from sirena.registry.connection import Registry
    from sirena.registry.housekeeping import Collection
    from sirena.registry.retention import Retention, StoredVersion

_BATCH: Final = 100
"""Versions removed between intention and outcome of one entry in the ledger."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="gc", epilog="Example: sirena gc --dry-run; sirena gc --yes")(gc)


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show; also what happens without --yes.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove what is shown as not needed.")] = False,
    newest: Annotated[int, typer.Option(min=1, help="Keep so many versions of each model, the newest.")] = 3,
    days: Annotated[float, typer.Option(min=1, help="Keep everything younger than so many days.")] = 30,
    months: Annotated[
        float, typer.Option(min=1, help="Keep the members of releases younger than so many months.")
    ] = 24,
) -> None:
    """Collect model versions and files that no release, stage, alias or rule needs; by itself it only shows.

    On the server also uploads that were begun more than a day ago and never finished. Kept for good: whatever was in
    production once, certificates, the audit ledger, releases, runs with their numbers, and what Sirena did not log.
    Through the entry it only shows: removing must keep out of a backup, and that the server alone can.
    """
    from sirena.cli.gatekeeping import open_registry
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
        uploads = _dead_uploads(registry.settings)
    _print(collection, len(unneeded), len(unnamed), len(uploads))
    if not unneeded and not unnamed and not uploads:
        say("nothing to collect")
    elif not yes:
        say("nothing was removed; to remove it: the same command with --yes")
    else:
        with _alone(registry.settings), told() as tell:
            removed = _remove(registry, collection, unneeded, retention, tell)
            freed = _free(registry, retention, tell)
            _abort(registry.settings, uploads, tell)
        say(f"removed {removed:,} versions and the files of {freed:,} stored models")
        if uploads:
            say(f"removed the parts of {len(uploads):,} unfinished uploads")
        if removed < len(unneeded):
            say(f"{len(unneeded) - removed:,} came to be needed meanwhile, or were removed by others")


def _alone(settings: "Settings") -> AbstractContextManager[None]:
    """Keep out of a backup on this server: what its databases name must be there when it comes to the files."""
    from sirena.operations.backup.exclusive import exclusive

    return exclusive(settings, "collection") if settings.holds_production_stack else nullcontext()


def _remove(
    registry: "Registry",
    collection: "Collection",
    unneeded: "list[StoredVersion]",
    retention: "Retention",
    tell: "Tell",
) -> int:
    from sirena.cli.recording import recorded
    from sirena.ledger.catalogue import Collected

    removed = 0
    for model in sorted({version.model for version in unneeded}):
        versions = [one for one in unneeded if one.model == model]
        for start in range(0, len(versions), _BATCH):
            batch = versions[start : start + _BATCH]
            numbers = tuple(str(one.number) for one in batch)
            with recorded(registry.settings, Collected, model=model, versions=numbers, rule=str(retention)) as act:
                tell(f"{model} {numbers[0]} to {numbers[-1]}, {removed:,} of {len(unneeded):,} removed")
                gone = [one for one in batch if collection.remove(one)]
                removed += len(gone)
                act.learn(versions=tuple(str(one.number) for one in gone))
                if not gone:
                    act.nothing_to_do()
    return removed


def _free(registry: "Registry", retention: "Retention", tell: "Tell") -> int:
    from sirena.cli.recording import recorded
    from sirena.ledger.catalogue import Collected
    from sirena.registry.housekeeping import free, unnamed_models

    tell("stored models")
    models = unnamed_models(registry, retention)
    freed = 0
    for name in sorted({model.name for model in models}):
        mine = [model for model in models if model.name == name]
        with recorded(registry.settings, Collected, model=name, rule=str(retention)) as act:
            for model in mine:
                tell(f"files of {name}, {freed:,} of {len(models):,}")
                if free(registry, model):
                    freed += 1
                    act.learn(freed=act.event.freed + 1)
    return freed


def _dead_uploads(settings: "Settings") -> "list[UnfinishedUpload]":
    """Return uploads into this server's bucket that nobody will finish; elsewhere we may not look."""
    from datetime import UTC, datetime

    from sirena.operations import unfinished_uploads
    from sirena.operations.backup.objects import bucket_errors_told
    from sirena.operations.s3 import s3_client
    from sirena.operations.stack import Stack

    if not settings.holds_production_stack:
        return []
    before = datetime.now(UTC) - unfinished_uploads.DEAD_AFTER
    with bucket_errors_told("looking through", settings.s3_bucket):
        client = s3_client(settings, Stack(settings).s3_endpoint)
        found = unfinished_uploads.unfinished_uploads(client, settings.s3_bucket)
        return [one for one in found if one.begun < before]


def _abort(settings: "Settings", uploads: "list[UnfinishedUpload]", tell: "Tell") -> None:
    from sirena.cli.recording import recorded
    from sirena.ledger.catalogue import Collected
    from sirena.operations.backup.objects import bucket_errors_told
    from sirena.operations.s3 import s3_client
    from sirena.operations.stack import Stack
    from sirena.operations.unfinished_uploads import abort

    if not uploads:
        return
    tell("unfinished uploads")
    with (
        recorded(settings, Collected, model="", rule="unfinished uploads older than a day") as act,
        bucket_errors_told("removing unfinished uploads from", settings.s3_bucket),
    ):
        client = s3_client(settings, Stack(settings).s3_endpoint)
        for upload in uploads:
            abort(client, upload)
            act.learn(uploads=act.event.uploads + 1)


def _print(collection: "Collection", unneeded: int, unnamed: int, uploads: int) -> None:
    from sirena.cli.sections import Section, print_sections

    counts = Counter(collection.needs.values())
    rows = [(str(need), f"{count:,}", "kept") for need, count in counts.most_common()]
    rows += [("nothing", f"{unneeded:,}", "not needed")] if unneeded else []
    releases = len(collection.inventory.stock.releases)
    note = f"{releases:,} releases, all kept; {unnamed:,} stored models that no version names"
    note += f"; {uploads:,} unfinished uploads older than a day" if uploads else ""
    print_sections([Section("Versions by what needs them", rows, ("needed by", "#versions", ""), note, words=(0,))])
