"""The drill: put a backup back beside the living system, prove it, and remove it again.

Scratch databases of their own names in the running cluster, a scratch bucket and a scratch folder; the living ones
are not opened.
What needs MLflow and the ledger is proven by a function of the caller.
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
"""Aliases that nobody gets for a model without files."""


@dataclass(frozen=True)
class RestoredCopy:
    """A backup put back beside the living system, for whoever proves it."""

    mlflow_url: str
    """SQLAlchemy URL of the scratch copy of MLflow's database, without password."""
    sirena_url: str
    """The same of ours."""
    home: Path
    """Folder whose `artifacts` are the restored ones, as a `SIRENA_HOME` of the embedded profile has them."""
    manifest: Manifest
    answers: RecordedAnswers | None


Proof = Callable[[RestoredCopy], Sequence[str]]
"""Proves what was put back, raises if it cannot, and says in sentences what was proven."""


@dataclass(frozen=True)
class Drilled:
    """A drill that went well."""

    snapshot: Snapshot
    manifest: Manifest
    proven: tuple[str, ...]
    seconds: float


def drill(settings: Settings, at: str, prove: Proof, tell: Tell) -> Drilled:
    """Restore a snapshot beside the running system and prove it. The caller holds `exclusive` meanwhile.

    Args:
        settings: which installation; its PostgreSQL and S3 must run.
        at: as `Repository.find` reads it.
        prove: proves the answers and the ledger of what was restored.
        tell: is told each step.

    Raises:
        DamagedBackupError: files or rows are not those of the manifest.
        DrillError: parts of what was restored do not fit together, or it answers otherwise than before.
        BackupError: a step failed.
    """
    begun = time.monotonic()
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
            proven = [
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
            proven += prove(copy)
        finally:
            _remove(databases, bucket, places.drill)
    return Drilled(snapshot, manifest, tuple(proven), time.monotonic() - begun)


def _require_artifacts(databases: Databases, objects: Path) -> str:
    """Require the files of every version that has a stage, and say how many others have theirs.

    Whoever may train can register a version of a model that has no files, and must not make the drill fail by it.
    """
    rows = databases.ask(_SCRATCH["mlflow"], _REGISTERED, _STAGES)
    folders = {objects / _ARTIFACTS / str(at).partition(":")[2].lstrip("/"): bool(staged) for at, staged in rows}
    missing = [folder for folder in folders if not (folder / "MLmodel").is_file()]
    named = ", ".join(str(folder.relative_to(objects)) for folder in missing[:_NAMED])
    if any(folders[folder] for folder in missing):
        raise DrillError(
            f"{len(missing)} models of the database have no files in the backup: {named}",
            hint="see whether they are in the bucket; then back up anew",
        )
    told = f"{len(folders) - len(missing):,} registered models have their files"
    return told + (f", and {len(missing):,} without a stage have none: {named}" if missing else "")


def _remove(databases: Databases, bucket: ScratchBucket, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for scratch in _SCRATCH.values():
        databases.drop(scratch)
    bucket.remove()
