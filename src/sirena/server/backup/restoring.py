"""Restoring: databases, bucket and configuration of a backup onto a fresh machine, or in the place of what is there.

Until the last step nothing that was there is touched: objects are only added, databases are made beside and take
their names in one transaction. So a restore that fails or is killed can be repeated, and leaves no half machine.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sirena.server.backup import configuration
from sirena.server.backup.databases import Databases, entered
from sirena.server.backup.errors import RestoreRefusedError
from sirena.server.backup.making import require_production
from sirena.server.backup.manifest import DATABASES_FOLDER, OBJECTS, Manifest
from sirena.server.backup.objects import Bucket
from sirena.server.backup.places import empty_folder, places_of
from sirena.server.backup.repository import Repository, Snapshot
from sirena.server.backup.room import Purpose, require_room
from sirena.server.object_store.s3 import s3_client
from sirena.server.parts.postgresql import DATABASES
from sirena.server.production_stack import ProductionStack
from sirena.server.steps import Tell
from sirena.settings.catalogue import Settings

_FRESH: Final = "_restoring"
_ASIDE: Final = "_before_restore"
_USERS: Final = ("mlflow", "service", "pages", "access", "entry", "backup")
"""Parts that write into the stores, or would ask them while they change."""
_TELLING_TABLES: Final = {
    "mlflow": ("runs", "registered_models", "logged_models"),
    "sirena": ("access_accounts", "ledger_entries"),
}


@dataclass(frozen=True)
class RestoredBackup:
    """What a restore brought back."""

    snapshot: Snapshot
    manifest: Manifest
    configuration: str
    """What became of the settings, for the operator."""
    record: str
    """What became of the record of it, for the operator."""


Conclude = Callable[[Settings, Snapshot], str]
"""Called when everything is back and the databases still run: puts the restore on record and says so."""


def restore(settings: Settings, at: str, tell: Tell, conclude: Conclude, *, replace: bool = False) -> RestoredBackup:
    """Bring a snapshot back; hold `exclusive` around it. Afterwards everything is down, for `sirena up`.

    Args:
        settings: the machine to restore onto.
        at: as `Repository.find` reads it.
        tell: is told each step.
        conclude: called at the end.
        replace: take the place of what is there. The databases that were there stay until the next restore under
            names of their own.

    Raises:
        RestoreRefusedError: the machine runs, or is not empty and `replace` is not said; nothing was changed.
        DamagedBackupError: the snapshot is not what was put in.
        BackupError: a step failed.
    """
    require_production(settings)
    _require_down(ProductionStack(settings))
    places, repository = places_of(settings), Repository(settings)
    repository.require()
    snapshot = repository.find(at)
    folder = empty_folder(places.restoring)
    try:
        tell(f"taking out {snapshot.id} of {snapshot.time:%Y-%m-%d %H:%M} UTC")
        repository.take_out(snapshot, folder)
        tell("hashes")
        manifest = Manifest.read(folder)
        manifest.verify(folder)
        settings, told = configuration.put_back(settings, folder)
        stack = ProductionStack(settings)
        with _stores(stack, tell), entered(stack.database(), places.root) as databases:
            bucket = Bucket(s3_client(settings, stack.s3_endpoint), settings.s3_bucket)
            if not replace:
                _require_empty(databases, bucket, manifest)
            require_room(settings, bucket.missing(manifest.objects), Purpose.RESTORE)
            for database in DATABASES:
                tell(f"database {database}")
                dump = folder / DATABASES_FOLDER / f"{database}.dump"
                databases.put_back(dump, database, database + _FRESH, manifest.tables[database])
            tell("objects")
            bucket.put_back(folder / OBJECTS, manifest.objects, tell)
            databases.exchange({database: database + _FRESH for database in DATABASES}, _ASIDE)
            if not replace:
                for database in DATABASES:
                    databases.drop(database + _ASIDE)
            record = conclude(settings, snapshot)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return RestoredBackup(snapshot, manifest, told, record)


def _require_down(stack: ProductionStack) -> None:
    running = [name for name, state in stack.supervisor.states().items() if state.running and name in _USERS]
    if running:
        raise RestoreRefusedError(f"{', '.join(sorted(running))} still run here", hint="`sirena down` first")


@contextmanager
def _stores(stack: ProductionStack, tell: Tell) -> Iterator[None]:
    """Run PostgreSQL and the object store alone."""
    try:
        stack.bring_up_stores(tell)
        yield
    finally:
        stack.take_down()


def _require_empty(databases: Databases, bucket: Bucket, manifest: Manifest) -> None:
    """Require that nothing is here but what a killed restore of this very backup left."""
    found = []
    for database, telling in _TELLING_TABLES.items():
        rows = databases.rows(database)
        if rows == manifest.tables[database]:
            continue
        found += [f"{rows[table]:,} rows in {table}" for table in telling if rows.get(table)]
    strangers = bucket.strangers(manifest.objects)
    if strangers:
        found.append(f"{strangers:,} other objects in bucket {bucket.name}")
    if found:
        raise RestoreRefusedError(
            f"this machine is not empty: {', '.join(found)}",
            hint="restore onto a fresh SIRENA_HOME, or say --replace to put the backup in the place of what is here",
        )
