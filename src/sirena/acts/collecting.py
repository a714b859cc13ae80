"""Collecting: removing stored versions, files and uploads that nothing needs, recorded in the ledger."""

from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Final

from sirena.acts.recording import recorded
from sirena.ledger.catalogue import Collected
from sirena.registry.connection import Registry
from sirena.registry.housekeeping import Collection, free, unnamed_models
from sirena.registry.retention import Retention, StoredVersion
from sirena.server.backup.exclusive import exclusive
from sirena.server.backup.objects import bucket_errors_translated
from sirena.server.object_store import unfinished_uploads
from sirena.server.object_store.s3 import s3_client
from sirena.server.object_store.unfinished_uploads import UnfinishedUpload, abort
from sirena.server.production_stack import ProductionStack
from sirena.server.steps import Tell
from sirena.settings.catalogue import Settings

_BATCH: Final = 100
"""Most versions removed by one recorded act."""


def kept_out_of_backups(settings: Settings) -> AbstractContextManager[None]:
    """Return a context manager that keeps backups from running: a backup needs every file that its databases name."""
    return exclusive(settings, "collection") if settings.holds_production_stack else nullcontext()


def remove_versions(
    registry: Registry,
    collection: Collection,
    candidates: list[StoredVersion],
    retention: Retention,
    tell: Tell,
) -> int:
    """Remove model versions, except those that are needed by now. Returns the number of removed versions."""
    count = 0
    for model in sorted({version.model for version in candidates}):
        versions = [version for version in candidates if version.model == model]
        for start in range(0, len(versions), _BATCH):
            batch = versions[start : start + _BATCH]
            numbers = tuple(str(version.number) for version in batch)
            with recorded(registry.settings, Collected, model=model, versions=numbers, rule=str(retention)) as act:
                tell(f"{model} {numbers[0]} to {numbers[-1]}, {count:,} of {len(candidates):,} removed")
                removed_versions = [version for version in batch if collection.remove(version)]
                count += len(removed_versions)
                act.learn(versions=tuple(str(version.number) for version in removed_versions))
                if not removed_versions:
                    act.nothing_to_do()
    return count


def free_models(registry: Registry, retention: Retention, tell: Tell) -> int:
    """Remove the files of those stored models that belong to no version. Returns the number of models."""
    tell("stored models")
    models = unnamed_models(registry, retention)
    count = 0
    for name in sorted({model.name for model in models}):
        mine = [model for model in models if model.name == name]
        with recorded(registry.settings, Collected, model=name, rule=str(retention)) as act:
            for model in mine:
                tell(f"files of {name}, {count:,} of {len(models):,}")
                if free(registry, model):
                    count += 1
                    act.learn(freed=act.event.freed + 1)
    return count


def dead_uploads(settings: Settings) -> list[UnfinishedUpload]:
    """Return the abandoned multipart uploads in this server's own bucket; empty if the bucket is elsewhere."""
    if not settings.holds_production_stack:
        return []
    before = datetime.now(UTC) - unfinished_uploads.DEAD_AFTER
    with bucket_errors_translated("looking through", settings.s3_bucket):
        client = s3_client(settings, ProductionStack(settings).s3_endpoint)
        uploads = unfinished_uploads.unfinished_uploads(client, settings.s3_bucket)
        return [upload for upload in uploads if upload.start_time < before]


def abort_uploads(settings: Settings, uploads: list[UnfinishedUpload], tell: Tell) -> None:
    """Abort unfinished uploads, which removes their parts."""
    if not uploads:
        return
    tell("unfinished uploads")
    with (
        recorded(settings, Collected, model="", rule="unfinished uploads older than a day") as act,
        bucket_errors_translated("removing unfinished uploads from", settings.s3_bucket),
    ):
        client = s3_client(settings, ProductionStack(settings).s3_endpoint)
        for upload in uploads:
            abort(client, upload)
            act.learn(uploads=act.event.uploads + 1)
