"""The restore drill: restoring a backup next to the running system, checking the copy, and removing it again.

The backup is restored into scratch databases in the running PostgreSQL cluster, a scratch bucket and a scratch folder;
the databases, bucket and folders in use are not opened. What needs MLflow and the ledger is checked by a function that
the caller passes.
"""

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sirena.server.backup.answers import RecordedAnswers
from sirena.server.backup.databases import Databases, entered
from sirena.server.backup.errors import DrillError
from sirena.server.backup.making import require_production
from sirena.server.backup.manifest import DATABASES_FOLDER, OBJECTS, Manifest
from sirena.server.backup.places import empty_folder, places_of
from sirena.server.backup.repository import Repository, Snapshot
from sirena.server.backup.room import Purpose, require_room
from sirena.server.backup.scratch_bucket import ScratchBucket
from sirena.server.object_store.s3 import s3_client
from sirena.server.parts.postgresql import DATABASES
from sirena.server.production_stack import ProductionStack
from sirena.server.steps import Tell
from sirena.settings.catalogue import Settings

_SCRATCH: Final = {name: f"{name}_drill" for name in DATABASES}
_ARTIFACTS: Final = "artifacts"
_NAMED: Final = 3
_REGISTERED: Final = """
SELECT v.storage_location, bool_or(a.alias IS NOT NULL)
FROM model_versions v
LEFT JOIN registered_model_aliases a ON (a.name, a.version) = (v.name, v.version) AND a.alias = ANY(%s)
WHERE v.current_stage <> 'Deleted_Internal'
GROUP BY 1 ORDER BY 1
"""
_STAGES: Final = ["production", "staging"]
"""Aliases of stages, which a model without files cannot have."""


@dataclass(frozen=True)
class RestoredCopy:
    """A backup restored next to the running system; its content is still to be checked."""

    mlflow_url: str
    """SQLAlchemy URL of the scratch copy of MLflow's database, without password."""
    sirena_url: str
    """SQLAlchemy URL of the scratch copy of Sirena's own database, without password."""
    home: Path
    """Folder that holds the restored artifacts like a `SIRENA_HOME` of the embedded profile."""
    manifest: Manifest
    answers: RecordedAnswers | None


Proof = Callable[[RestoredCopy], Sequence[str]]
"""Function that proves a restored copy and returns what was proven, a sentence each; it raises an error if it
cannot."""


@dataclass(frozen=True)
class DrillResult:
    """The result of a successful restore drill."""

    snapshot: Snapshot
    manifest: Manifest
    proofs: tuple[str, ...]
    seconds: float


def drill(settings: Settings, at: str, prove: Proof, tell: Tell) -> DrillResult:
    """Restore a snapshot next to the running system, and check the restored copy. The caller must hold `exclusive`.

    Args:
        settings: settings of the installation; its PostgreSQL and S3 endpoint must run.
        at: name of the snapshot, as for `Repository.find`.
        prove: function that checks answers and ledger of the restored copy.
        tell: called with a text at each step.

    Raises:
        DamagedBackupError: files or numbers of rows differ from the manifest.
        DrillError: parts of the restored copy do not fit together, or its answers differ from those recorded.
        BackupError: a step failed.
    """
    start = time.monotonic()
    require_production(settings)
    places, repository = places_of(settings), Repository(settings)
    stack = ProductionStack(settings)
    bucket = ScratchBucket(s3_client(settings, stack.s3_endpoint), settings.s3_bucket)
    with entered(stack.database(), places.root) as databases:
        _remove(databases, bucket, places.drill)  # what a killed drill left
        repository.require()
        snapshot = repository.find(at)
        try:
            tell(f"taking out {snapshot.id} of {snapshot.time:%Y-%m-%d %H:%M} UTC")
            folder = empty_folder(places.drill)
            repository.take_out(snapshot, folder)
            tell("hashes")
            manifest = Manifest.read(folder)
            manifest.verify(folder)
            require_room(settings, manifest.objects, Purpose.DRILL)
            for database, scratch in _SCRATCH.items():
                tell(f"database {database}")
                dump = folder / DATABASES_FOLDER / f"{database}.dump"
                databases.put_back(dump, database, scratch, manifest.tables[database])
            tell(f"objects, into bucket {bucket.name}")
            bucket.put_back(folder / OBJECTS, manifest.objects, tell)
            proofs = [
                f"{len(manifest.files):,} files have their hashes, {len(manifest.objects):,} of them objects",
                f"{len(manifest.objects):,} objects were put into bucket {bucket.name}, which holds them as sent",
                f"{sum(sum(tables.values()) for tables in manifest.tables.values()):,} rows came back",
                _require_artifacts(databases, folder / OBJECTS),
            ]
            tell("release, answers and ledger")
            copy = RestoredCopy(
                databases.url("mlflow", _SCRATCH["mlflow"]),
                databases.url("sirena", _SCRATCH["sirena"]),
                folder / OBJECTS,
                manifest,
                RecordedAnswers.read(folder),
            )
            proofs += prove(copy)
        finally:
            _remove(databases, bucket, places.drill)
    return DrillResult(snapshot, manifest, tuple(proofs), time.monotonic() - start)


def _require_artifacts(databases: Databases, objects: Path) -> str:
    """Check that every version with a stage has its files, and return a sentence on how many others have theirs.

    A version without a stage may lack files: whoever may train can register such a version, and the drill must not fail
    by it.
    """
    rows = databases.ask(_SCRATCH["mlflow"], _REGISTERED, _STAGES)
    folders = {objects / _ARTIFACTS / str(at).partition(":")[2].lstrip("/"): bool(has_stage) for at, has_stage in rows}
    folders_without_files = [folder for folder in folders if not (folder / "MLmodel").is_file()]
    names = ", ".join(str(folder.relative_to(objects)) for folder in folders_without_files[:_NAMED])
    if any(folders[folder] for folder in folders_without_files):
        raise DrillError(
            f"{len(folders_without_files)} models of the database have no files in the backup: {names}",
            hint="see whether they are in the bucket; then back up anew",
        )
    text = f"{len(folders) - len(folders_without_files):,} registered models have their files"
    return text + (
        f", and {len(folders_without_files):,} without a stage have none: {names}" if folders_without_files else ""
    )


def _remove(databases: Databases, bucket: ScratchBucket, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for scratch in _SCRATCH.values():
        databases.drop(scratch)
    bucket.remove()
