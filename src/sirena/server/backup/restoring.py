"""Restoring a backup's databases, objects and configuration, onto a fresh machine or in place of what is there.

Until the last step nothing that existed before is changed: objects are only added; databases are made under other names
and put in place in one transaction. So a restore that fails or is killed can be repeated, and leaves nothing half
restored.
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
"""Parts that use databases or object store, and must not run during a restore."""
_TELLING_TABLES: Final = {
    "mlflow": ("runs", "registered_models", "logged_models"),
    "sirena": ("access_accounts", "ledger_entries"),
}


@dataclass(frozen=True)
class RestoredBackup:
    """The result of a restore."""

    snapshot: Snapshot
    manifest: Manifest
    configuration: str
    """Sentence for the operator on what was done with the settings."""
    record: str
    """Sentence for the operator on how the restore was recorded."""


Conclude = Callable[[Settings, Snapshot], str]
"""Function called when all is restored and the databases still run; it records the restore, and returns a sentence on
it."""


def restore(settings: Settings, at: str, tell: Tell, conclude: Conclude, *, replace: bool = False) -> RestoredBackup:
    """Restore a snapshot, and leave all parts stopped, for `sirena up`. The caller must hold `exclusive`.

    Args:
        settings: settings of the installation to restore into.
        at: name of the snapshot, as for `Repository.find`.
        tell: called with a text at each step.
        conclude: function that records the restore at the end.
        replace: True to replace what is there. The replaced databases stay under other names until the next restore.

    Raises:
        RestoreRefusedError: the stack runs, or the machine is not empty and `replace` is False; nothing was changed.
        DamagedBackupError: the snapshot is not what was saved.
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
        settings, notes = configuration.put_back(settings, folder)
        stack = ProductionStack(settings)
        with _stores(stack, tell), entered(stack.database(), places.root) as databases:
            bucket = Bucket(s3_client(settings, stack.s3_endpoint), settings.s3_bucket)
            if not replace:
                _require_empty(databases, bucket, manifest)
            require_room(settings, bucket.missing_objects(manifest.objects), Purpose.RESTORE)
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
    return RestoredBackup(snapshot, manifest, notes, record)


def _require_down(stack: ProductionStack) -> None:
    running_names = [name for name, state in stack.supervisor.states().items() if state.running and name in _USERS]
    if running_names:
        raise RestoreRefusedError(f"{', '.join(sorted(running_names))} still run here", hint="`sirena down` first")


@contextmanager
def _stores(stack: ProductionStack, tell: Tell) -> Iterator[None]:
    """Run PostgreSQL and the object store, and no other part, for the length of the block."""
    try:
        stack.bring_up_stores(tell)
        yield
    finally:
        stack.take_down()


def _require_empty(databases: Databases, bucket: Bucket, manifest: Manifest) -> None:
    """Check that databases and bucket hold nothing but what a killed restore of this backup left, or raise an error."""
    contents = []
    for database, telling_table in _TELLING_TABLES.items():
        rows = databases.rows(database)
        if rows == manifest.tables[database]:
            continue
        contents += [f"{rows[table]:,} rows in {table}" for table in telling_table if rows.get(table)]
    strangers = bucket.strangers(manifest.objects)
    if strangers:
        contents.append(f"{strangers:,} other objects in bucket {bucket.name}")
    if contents:
        raise RestoreRefusedError(
            f"this machine is not empty: {', '.join(contents)}",
            hint="restore onto a fresh SIRENA_HOME, or say --replace to put the backup in the place of what is here",
        )
