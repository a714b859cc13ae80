"""Where backup, restore and drill keep what they need below `SIRENA_HOME`; nobody else may enter."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from sirena.host.accounts import OsAccount
from sirena.settings.catalogue import Settings


@dataclass(frozen=True)
class BackupPlaces:
    """The folders of one `SIRENA_HOME`."""

    home: Path

    @property
    def root(self) -> Path:
        """The folder of everything here, mode 0700: it holds password hashes while a backup is made."""
        return self.home / "backup"

    @property
    def set(self) -> Path:
        """What goes into the repository: dumps, objects, configuration, answers, manifest."""
        return self.root / "set"

    @property
    def mirror_index(self) -> Path:
        """What is known of the objects mirrored into `set`."""
        return self.root / "mirror.json"

    @property
    def drill(self) -> Path:
        """What a drill puts back; removed after it."""
        return self.root / "drill"

    @property
    def restoring(self) -> Path:
        """What a restore takes out of the repository; removed after it."""
        return self.root / "restoring"

    @property
    def cache(self) -> Path:
        """Restic's cache."""
        return self.root / "cache"

    @property
    def known_repositories(self) -> Path:
        """Names the places where a repository was found or made, one a line: it must be there again."""
        return self.root / "repositories"

    @property
    def lock(self) -> Path:
        """Held by the one activity under way."""
        return self.root / "lock"

    def open(self) -> None:
        """Make the folder, closed to others."""
        OsAccount.of_this_process().own_folder(self.root)


def places_of(settings: Settings) -> BackupPlaces:
    """Return the places of an installation."""
    return BackupPlaces(settings.home)


def password_file(settings: Settings) -> Path:
    """Return the file that holds the repository's password."""
    return settings.backup_password_file or settings.home / "secrets" / "backup_password"


def empty_folder(folder: Path) -> Path:
    """Make a folder, without what an interrupted run may have left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder
