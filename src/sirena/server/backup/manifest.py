"""The manifest: a list of what a backup holds, by which a restore can tell whether all of it is there, unaltered."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

from sirena.server.backup.errors import DamagedBackupError

NAME: Final = "manifest.json"
OBJECTS: Final = "objects"
DATABASES_FOLDER: Final = "databases"
CONFIGURATION: Final = "configuration"
ANSWERS: Final = "answers.json"
_FORMAT: Final = "sirena-backup/1"
_BLOCK: Final = 2**20
_NAMED: Final = 5
_APART: Final = ".apart"
"""Folder of the objects whose keys cannot be paths; no key that is a path begins with this name."""
_LONGEST_NAME: Final = 255


@dataclass(frozen=True)
class FileFacts:
    """Hash and size of a file as it was backed up."""

    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True)
class LedgerEnd:
    """The audit ledger's last entry in the dump; it shows if the end of a restored ledger was cut off."""

    entries: int
    hash: str


@dataclass(frozen=True)
class Manifest:
    """The list of what one backup holds."""

    made: str
    """UTC, ISO 8601."""
    versions: Mapping[str, str]
    """Versions of Sirena, MLflow, PostgreSQL and restic, by name."""
    files: Mapping[str, FileFacts]
    """Files by their path in the backup; an S3 object `k` is listed as `objects/k`, wherever its file lies (see
    `stored_at`)."""
    tables: Mapping[str, Mapping[str, int]]
    """Number of rows of every table, by database, counted in the snapshot that was dumped."""
    bucket: str
    ledger_end: LedgerEnd | None = None
    format: str = field(default=_FORMAT)

    @property
    def objects(self) -> dict[str, FileFacts]:
        """The S3 objects by their key."""
        prefix = f"{OBJECTS}/"
        return {path.removeprefix(prefix): facts for path, facts in self.files.items() if path.startswith(prefix)}

    @property
    def size(self) -> int:
        """Total size of all files, in bytes."""
        return sum(facts.size for facts in self.files.values())

    def write(self, folder: Path) -> None:
        """Write the manifest to a file in a folder."""
        (folder / NAME).write_text(json.dumps(asdict(self), indent=1, sort_keys=True), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the manifest in a folder.

        Raises:
            DamagedBackupError: the manifest is missing or cannot be read.
        """
        try:
            document = json.loads((folder / NAME).read_text(encoding="utf-8"))
            files = {path: FileFacts(**facts) for path, facts in document.pop("files").items()}
            end = document.pop("ledger_end")
            manifest = cls(**document, files=files, ledger_end=LedgerEnd(**end) if end else None)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise DamagedBackupError(
                "the backup has no readable manifest", hint="take an older one with --at"
            ) from error
        if manifest.format != _FORMAT:
            raise DamagedBackupError(
                f"the backup has the form {manifest.format!r}, this Sirena reads {_FORMAT}",
                hint=f"restore it with Sirena {manifest.versions.get('sirena', 'of its time')}",
            )
        return manifest

    def verify(self, folder: Path) -> None:
        """Compare every file of a folder with the manifest.

        Raises:
            DamagedBackupError: files are missing, altered or not listed; the error names the first of them.
        """
        paths = {path for path in files_of(folder) if path != NAME}
        places = {path: _place(folder, path) for path in self.files}
        wrong = [f"{path} is missing" for path in sorted(places) if places[path] not in paths]
        wrong += [f"{path} is not in the manifest" for path in sorted(paths - set(places.values()))]
        wrong += [
            f"{path} was altered"
            for path in sorted(places)
            if places[path] in paths and facts_of(folder / places[path]) != self.files[path]
        ]
        if wrong:
            more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
            raise DamagedBackupError(
                f"the backup of {self.made} is not what was put in: {'; '.join(wrong[:_NAMED])}{more}",
                hint="take an older one with --at",
            )


def is_path(key: str) -> bool:
    """Tell whether the key of an S3 object can be the path of a file."""
    names = key.split("/")
    return (
        "\0" not in key
        and names[0] != _APART
        and all(name not in ("", ".", "..") and len(name.encode()) <= _LONGEST_NAME for name in names)
    )


def apart(key: str) -> str:
    """Return the path at which an S3 object is kept if its key cannot be its path.

    In S3 an object `a` may exist together with an object `a/b`; whoever may log artifacts can make such objects.
    """
    return f"{_APART}/{hashlib.sha256(key.encode()).hexdigest()}"


def stored_at(folder: Path, key: str) -> Path:
    """Return the path of the file that holds an S3 object.

    Args:
        folder: the folder that holds all objects.
        key: key of the object.
    """
    plain = folder / key
    return plain if is_path(key) and plain.is_file() else folder / apart(key)


def _place(folder: Path, path: str) -> str:
    if not path.startswith(f"{OBJECTS}/"):
        return path
    return stored_at(folder / OBJECTS, path.removeprefix(f"{OBJECTS}/")).relative_to(folder).as_posix()


def facts_of(file: Path) -> FileFacts:
    """Return a file's size and hash."""
    digest = hashlib.sha256()
    size = 0
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return FileFacts(digest.hexdigest(), size)


def files_of(folder: Path) -> list[str]:
    """Return the files below a folder, as paths relative to it."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
