"""Making a backup.

The order of the steps makes the backup consistent without stopping anything:

- the service's answers first: the release they name exists then, so it is in every later dump;
- then MLflow's database, then Sirena's own: the ledger records an act before it happens, so the ledger, dumped later,
has an entry for everything in the MLflow database, dumped earlier; - then the objects: MLflow's rows name files only
after these are stored, and stored files are never changed, so every
  file that a dumped row names is in the bucket. Removing files needs the lock that a backup holds.
"""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sirena import __version__
from sirena.domain.errors import UsageError
from sirena.server.backup import configuration
from sirena.server.backup.answers import ask_service
from sirena.server.backup.databases import DatabaseDump, Databases, entered
from sirena.server.backup.errors import BackupError
from sirena.server.backup.manifest import (
    ANSWERS,
    DATABASES_FOLDER,
    NAME,
    OBJECTS,
    FileFacts,
    Manifest,
    facts_of,
    files_of,
)
from sirena.server.backup.objects import Bucket
from sirena.server.backup.places import password_file, places_of
from sirena.server.backup.repository import Repository, Snapshot
from sirena.server.object_store.s3 import s3_client
from sirena.server.parts.connections import PartConnections
from sirena.server.parts.part import program, version_of
from sirena.server.parts.postgresql import DATABASES
from sirena.server.production_stack import ProductionStack
from sirena.server.steps import Tell
from sirena.settings.catalogue import Settings


@dataclass(frozen=True)
class MadeBackup:
    """A backup that was saved in the repository and checked."""

    snapshot: str
    manifest: Manifest
    release: str
    """Release whose answers were recorded; empty when the service did not answer."""
    seconds: float
    repository: Repository
    left_out: tuple[str, ...]
    """Names of settings that were left out, because they are secret."""
    ahead: tuple[Snapshot, ...]
    """Backups dated ahead of the clock, because of which no old one was removed."""


def back_up(settings: Settings, tell: Tell, *, before_upgrade: bool = False) -> MadeBackup:
    """Make a backup of a running production stack. The caller must hold `exclusive`.

    Args:
        settings: settings of the installation.
        tell: called with a text at each step.
        before_upgrade: True for the backup to which `sirena upgrade --back` returns.

    Raises:
        UsageError: this machine has no production stack.
        BackupError: a step failed; what the repository held before is still there.
    """
    start = time.monotonic()
    require_production(settings)
    places, repository = places_of(settings), Repository(settings)
    stack = ProductionStack(settings)
    _require_elsewhere(stack, repository)
    tell("repository")
    repository.ensure()
    with _disk_errors_translated(), entered(stack.database(), places.root) as databases:
        places.set.mkdir(mode=0o700, exist_ok=True)
        try:
            tell("answers of the service")
            answers = ask_service(PartConnections(settings).of_part("service"))
            (places.set / ANSWERS).unlink(missing_ok=True)
            if answers is not None:
                answers.write(places.set)
            dumps = _dump(databases, places.set, tell)
            tell("objects")
            bucket = Bucket(s3_client(settings, stack.s3_endpoint), settings.s3_bucket)
            objects = bucket.mirror(places.set / OBJECTS, places.mirror_index, tell)
            left_out = configuration.collect(settings, places.set)
            manifest = _manifest(databases, settings, places.set, dumps, objects)
            manifest.write(places.set)
            tell("saving")
            snapshot = repository.save(places.set, before_upgrade=before_upgrade)
        finally:
            # password hashes lie unencrypted no longer than needed
            for database in DATABASES:
                (places.set / DATABASES_FOLDER / f"{database}.dump").unlink(missing_ok=True)
    tell("checking every byte of the repository")
    repository.check()
    ahead = repository.ahead_of_the_clock()
    if not ahead:
        # by a wrong clock the one just made might be the oldest
        tell("removing old snapshots")
        repository.thin_out()
    return MadeBackup(
        snapshot,
        manifest,
        answers.release if answers else "",
        time.monotonic() - start,
        repository,
        tuple(left_out),
        tuple(ahead),
    )


def require_production(settings: Settings) -> None:
    """Check that the profile is ``production``, the only one that is backed up, or raise `UsageError`.

    Raises:
        UsageError: the profile is ``embedded``.
    """
    if settings.profile != "production":
        raise UsageError(
            "backups are made of the production profile",
            hint=f"the embedded profile is files only: end it (`sirena down`) and copy {settings.home}",
        )


def _require_elsewhere(stack: ProductionStack, repository: Repository) -> None:
    settings = stack.settings
    bucket = f"s3:{stack.s3_endpoint.rstrip('/')}/{settings.s3_bucket}/"
    if f"{repository.location.rstrip('/')}/".startswith(bucket):
        raise UsageError(
            "the backup repository lies in the bucket it would be a backup of", hint="give it a bucket elsewhere"
        )
    if not password_file(settings).parent.is_dir():
        raise UsageError(f"{settings.home} holds no stack", hint="`sirena up --profile production` first")


def _dump(databases: Databases, folder: Path, tell: Tell) -> dict[str, DatabaseDump]:
    (folder / DATABASES_FOLDER).mkdir(mode=0o700, exist_ok=True)
    dumps = {}
    for database in DATABASES:  # mlflow, then sirena: see above
        tell(f"database {database}")
        dumps[database] = databases.dump(database, folder / DATABASES_FOLDER / f"{database}.dump")
    return dumps


def _manifest(
    databases: Databases,
    settings: Settings,
    folder: Path,
    dumps: dict[str, DatabaseDump],
    objects: dict[str, FileFacts],
) -> Manifest:
    others = [path for path in files_of(folder) if path != NAME and not path.startswith(f"{OBJECTS}/")]
    return Manifest(
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={
            "sirena": __version__,
            "mlflow": version("mlflow"),
            "postgresql": databases.server_version(),
            "restic": version_of([program("restic", "restic"), "version"]),
        },
        files={
            **{path: facts_of(folder / path) for path in others},
            **{f"{OBJECTS}/{key}": facts for key, facts in objects.items()},
        },
        tables={database: dump.tables for database, dump in dumps.items()},
        bucket=settings.s3_bucket,
        ledger_end=dumps["sirena"].ledger_end,
    )


@contextlib.contextmanager
def _disk_errors_translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupError(
            f"{error.filename or 'the backup'}: {os.strerror(error.errno or 0)}",
            hint="make room below SIRENA_HOME; then repeat the command",
        ) from error
