"""Folders and files of backup, restore and restore drill below `SIRENA_HOME`, closed to other accounts."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from sirena.host.accounts import OsAccount
from sirena.settings.catalogue import Settings


@dataclass(frozen=True)
class BackupPlaces:
    """Folders and files of backup, restore and restore drill in one `SIRENA_HOME`."""

    home: Path

    @property
    def root(self) -> Path:
        """Folder that holds all others, mode 0700: it holds password hashes while a backup is made."""
        return self.home / "backup"

    @property
    def set(self) -> Path:
        """Folder whose content becomes a backup in the repository: dumps, objects, configuration, answers, manifest."""
        return self.root / "set"

    @property
    def mirror_index(self) -> Path:
        """File that lists the objects mirrored into `set`."""
        return self.root / "mirror.json"

    @property
    def drill(self) -> Path:
        """Folder into which a restore drill restores; removed afterwards."""
        return self.root / "drill"

    @property
    def restoring(self) -> Path:
        """Folder into which a restore extracts a snapshot; removed afterwards."""
        return self.root / "restoring"

    @property
    def cache(self) -> Path:
        """Folder of restic's cache."""
        return self.root / "cache"

    @property
    def known_repositories(self) -> Path:
        """File of locations, one per line, where a backup repository was found or made and must be found again."""
        return self.root / "repositories"

    @property
    def lock(self) -> Path:
        """File that a running backup, restore, drill or collection keeps locked."""
        return self.root / "lock"

    def open(self) -> None:
        """Make the folder `root`, closed to other accounts."""
        OsAccount.of_this_process().own_folder(self.root)


def places_of(settings: Settings) -> BackupPlaces:
    """Return the folders and files of an installation."""
    return BackupPlaces(settings.home)


def password_file(settings: Settings) -> Path:
    """Return the file that holds the backup repository's password."""
    return settings.backup_password_file or settings.home / "secrets" / "backup_password"


def empty_folder(folder: Path) -> Path:
    """Make an empty folder, and return its path; what an interrupted run left there is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder
