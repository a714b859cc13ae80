"""The restic repository of backups: encrypted, deduplicated, versioned; a folder or an S3 bucket.

`restic check` alone does not open the data files and misses a damaged one, so here every check reads all data. A new
repository has the newest format that the installed restic writes, which since 0.14 is compressed.
"""

import json
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psutil

from sirena.domain.errors import UsageError
from sirena.host.accounts import OsAccount, nearest_folder
from sirena.host.secret_files import generated_secret, write_private
from sirena.server.backup.errors import BackupError, DamagedBackupError
from sirena.server.backup.places import password_file, places_of
from sirena.server.backup.tools import ProgramRun, run_tool
from sirena.server.object_store.s3 import credentials_file
from sirena.server.parts.part import program
from sirena.settings.catalogue import Settings

TAG: Final = "sirena"
_HOST: Final = "sirena"
"""Host name in snapshots, the same for every machine, so that a machine restored elsewhere continues the same
history."""
_KEEP: Final = ("--keep-daily", "7", "--keep-weekly", "5", "--keep-monthly", "12")
_BEFORE_UPGRADE: Final = "before-upgrade"
"""Second tag of backups made before an upgrade; they are thinned out separately, so that no daily backup replaces
them."""
_DAMAGED: Final = re.compile(r"^ignoring error for (\S+):", re.MULTILINE)
"""Names in restic's messages the files that it could not restore completely."""
_NAMED: Final = 3
_NO_REPOSITORY: Final = "Is there a repository"
_AHEAD: Final = timedelta(days=1)
"""Snapshots dated further ahead than this cannot be explained by time zones: the clock was wrong then, or is wrong
now."""
_PROBE_SECONDS: Final = 10.0
_SHORT: Final = 8


@dataclass(frozen=True)
class Snapshot:
    """A backup in the repository."""

    id: str
    """Short id, eight hexadecimal digits."""
    time: datetime
    """UTC."""


@dataclass(frozen=True)
class Repository:
    """The restic repository of one installation."""

    settings: Settings

    @property
    def location(self) -> str:
        """Folder of the repository, or `s3:https://host/bucket`."""
        return self.settings.backup_repository or str(self.settings.home / "backup" / "repository")

    @property
    def is_on_this_machine(self) -> bool:
        """True if the repository is below `SIRENA_HOME`, and would be lost together with it."""
        return Path(self.location).is_relative_to(self.settings.home)

    @property
    def is_on_the_same_disk(self) -> bool:
        """True if the repository is a folder on the disk of `SIRENA_HOME`; perhaps its own disk is not mounted."""
        place = Path(self.location)
        devices = {nearest_folder(path).stat().st_dev for path in (place, self.settings.home)}
        return place.is_absolute() and len(devices) == 1

    def ensure(self) -> None:
        """Make the repository and its password if there never was a repository here; remove locks of dead processes.

        A repository that was there before and is missing now is not made anew: its disk may not be mounted. A new
        repository would fill the disk underneath, while everybody believes the backups to be elsewhere.

        Raises:
            BackupError: the location cannot be reached, the repository is gone, or the password is wrong.
        """
        self._make_or_open()
        self._note()

    def _make_or_open(self) -> None:
        password = password_file(self.settings)
        if password.is_file():
            lock_list = self._list_locks()
            if lock_list.code == 0:
                self._remove_dead_locks(lock_list.output.split())
                return
            if _NO_REPOSITORY not in lock_list.errors:
                self._require(lock_list, "opening it")
            if self.location in self._known_locations():
                raise BackupError(
                    f"the backup repository {self.location} is gone: there is none where one was",
                    hint="is its disk mounted, and do its keys hold? To begin a new one, set "
                    "SIRENA_BACKUP_REPOSITORY to another place",
                )
            self._require(self._restic("init"), "making it")
            return
        if self.location in self._known_locations():
            self._require_password()
        generated_secret(password, OsAccount.of_this_process())
        initialisation = self._restic("init")
        if initialisation.code:
            password.unlink()
            if "already" in initialisation.errors:
                self._require_password()
            self._require(initialisation, "making it")

    def _known_locations(self) -> list[str]:
        file = places_of(self.settings).known_repositories
        return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []

    def _note(self) -> None:
        locations = self._known_locations()
        if self.location not in locations:
            lines = "".join(f"{place}\n" for place in [*locations, self.location])
            write_private(places_of(self.settings).known_repositories, lines, OsAccount.of_this_process())

    def require(self) -> None:
        """Check that the repository can be opened, or raise `BackupError`; remove locks of dead processes.

        Raises:
            BackupError: there is no repository, it cannot be reached, or the password is missing or wrong.
        """
        self._require_password()
        lock_list = self._list_locks()
        if _NO_REPOSITORY in lock_list.errors:
            raise BackupError(
                f"there is no backup repository at {self.location}", hint="see SIRENA_BACKUP_REPOSITORY and its keys"
            )
        self._require(lock_list, "opening it")
        self._note()
        self._remove_dead_locks(lock_list.output.split())

    def save(self, folder: Path, *, before_upgrade: bool = False) -> str:
        """Save a folder's content as a new snapshot, and return its id; unchanged content takes no further space.

        Args:
            folder: the folder to save.
            before_upgrade: True for the backup to which `sirena upgrade --back` returns; it is kept apart from daily
                ones.
        """
        tag = f"{TAG},{_BEFORE_UPGRADE}" if before_upgrade else TAG
        run = self._restic("backup", "--json", "--host", _HOST, "--tag", tag, "--ignore-inode", ".", folder=folder)
        self._require(run, "saving")
        summary = json.loads(run.output.strip().splitlines()[-1])
        # short, as in `snapshots`; restic after 0.14 tells all 64 digits here
        return str(summary["snapshot_id"])[:_SHORT]

    def thin_out(self) -> None:
        """Keep 7 daily, 5 weekly and 12 monthly snapshots; remove the others and free their space.

        Backups made before upgrades are counted separately.
        """
        selection = ("--tag", TAG, "--host", _HOST, "--group-by", "host,tags")
        self._require(self._restic("forget", *selection, *_KEEP, "--prune"), "removing old snapshots")

    def check(self) -> None:
        """Read every byte of the repository and compare it with its hash.

        Raises:
            DamagedBackupError: part of the repository is not as it was written.
        """
        run = self._restic("check", "--read-data")
        if run.code and "unable to create lock" not in run.errors:
            raise DamagedBackupError(
                f"the backup repository {self.location} is damaged: {run.last_lines}",
                hint="the running system is not touched; set SIRENA_BACKUP_REPOSITORY to a new place and back up "
                "there now, keep the damaged one, and have its disk looked at",
            )
        self._require(run, "checking")

    def snapshots(self) -> list[Snapshot]:
        """Return the snapshots, oldest first."""
        run = self._restic("snapshots", "--json", "--tag", TAG)
        self._require(run, "listing")
        items: list[dict[str, Any]] = json.loads(run.output) or []
        # restic writes nanoseconds, Python reads microseconds
        moments = ((str(item["short_id"]), datetime.fromisoformat(item["time"][:19])) for item in items)
        return sorted(
            (Snapshot(name, at.replace(tzinfo=UTC)) for name, at in moments), key=lambda snapshot: snapshot.time
        )

    def ahead_of_the_clock(self) -> list[Snapshot]:
        """Return the snapshots dated more than a day ahead of the clock; if there are any, the clock may be wrong."""
        return [snapshot for snapshot in self.snapshots() if _is_ahead(snapshot)]

    def find(self, at: str) -> Snapshot:
        """Return the snapshot that an id, a date or `latest` names.

        Args:
            at: empty for the latest snapshot that is not ahead of the clock; or the beginning of an id; or a date or
                time (UTC unless it names a zone) for the latest snapshot not after it. A date alone means the end of
                the day.

        Raises:
            UsageError: there is no such snapshot.
        """
        snapshots = self.snapshots()
        if not snapshots:
            raise UsageError(f"{self.location} holds no backup", hint="see SIRENA_BACKUP_REPOSITORY")
        if not at.strip() or at.strip() == "latest":
            # one made while the clock was a year ahead would else be the latest for a year
            return next((snapshot for snapshot in reversed(snapshots) if not _is_ahead(snapshot)), snapshots[-1])
        moment = _moment(at.strip())
        matches = [
            snapshot
            for snapshot in snapshots
            if (snapshot.time <= moment if moment else snapshot.id.startswith(at.strip().lower()[:_SHORT]))
        ]
        if not matches:
            listing = ", ".join(f"{snapshot.id} ({snapshot.time:%Y-%m-%d %H:%M})" for snapshot in snapshots[-5:])
            raise UsageError(f"there is no backup {at!r}", hint=f"the latest are {listing}")
        return matches[-1]

    def take_out(self, snapshot: Snapshot, folder: Path) -> None:
        """Extract a snapshot's content into a folder.

        Raises:
            DamagedBackupError: part of the snapshot cannot be read.
        """
        run = self._restic("restore", snapshot.id, "--target", str(folder))
        if run.code:
            if "no space left" in run.errors:
                self._require(run, "taking out")
            damaged_files = _DAMAGED.findall(run.errors)
            detail = (
                f": {len(damaged_files)} files, {', '.join(damaged_files[:_NAMED])}"
                if damaged_files
                else f": {run.last_lines}"
            )
            raise DamagedBackupError(
                f"backup {snapshot.id} cannot be taken out whole of {self.location}{detail}",
                hint="a damaged pack is missing in every backup that shares it: try an older one with --at, or another "
                "copy of the repository; while the machine it was made of still runs, `restic rebuild-index` and then "
                "`sirena backup` there save what is missing anew; docs/howto/backup.md says how to get the rest out",
            )

    def _list_locks(self) -> ProgramRun:
        """Open the repository and list its locks by one run of restic, since each run takes time to derive the key."""
        return self._restic("list", "locks", "--no-lock")

    def _remove_dead_locks(self, names: Sequence[str]) -> None:
        """Remove locks of killed processes, which restic itself keeps while such a process is a zombie."""
        if not names:
            return
        self._require(self._restic("unlock"), "removing a dead process's lock")
        lock_list = self._restic("list", "locks", "--no-lock")
        self._require(lock_list, "listing locks")
        locks = [self._restic("cat", "lock", name, "--no-lock") for name in lock_list.output.split()]
        if locks and all(lock.code == 0 and _is_dead(json.loads(lock.output)) for lock in locks):
            self._require(self._restic("unlock", "--remove-all"), "removing a dead process's lock")

    def _require_password(self) -> None:
        password = password_file(self.settings)
        if not password.is_file():
            raise BackupError(
                f"there is no password for the backup repository: {password} is missing",
                hint="put your copy of it there (chmod 600), or name it with SIRENA_BACKUP_PASSWORD_FILE",
            )

    def _restic(self, *words: str, folder: Path | None = None) -> ProgramRun:
        self._probe()
        command = [program("restic", "restic"), *words]
        return run_tool(command, self._environment(), folder=folder or places_of(self.settings).root)

    def _environment(self) -> Mapping[str, str]:
        own = self.settings.backup_credentials or credentials_file(self.settings)
        return {
            "RESTIC_REPOSITORY": self.location,
            "RESTIC_PASSWORD_FILE": str(password_file(self.settings)),
            "RESTIC_CACHE_DIR": str(places_of(self.settings).cache),
            "AWS_SHARED_CREDENTIALS_FILE": str(own),
            "AWS_DEFAULT_REGION": self.settings.aws_region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _probe(self) -> None:
        """Raise `BackupError` in seconds if the host does not answer; restic alone would try for 15 minutes."""
        if not self.location.startswith("s3:"):
            return
        place = self.location.removeprefix("s3:")
        url = urlsplit(place if "://" in place else f"https://{place}")
        try:
            port = url.port or (80 if url.scheme == "http" else 443)
            socket.create_connection((url.hostname or "", port), timeout=_PROBE_SECONDS).close()
        except (OSError, ValueError) as error:
            raise BackupError(
                f"the backup repository's host {url.hostname} does not answer",
                hint="see SIRENA_BACKUP_REPOSITORY and the network; then repeat the command",
            ) from error

    def _require(self, run: ProgramRun, action: str) -> None:
        if run.code == 0:
            return
        raise BackupError(
            f"the backup repository {self.location}: {action} failed: {run.last_lines}", hint=_remedy(run)
        )


def _is_ahead(snapshot: Snapshot) -> bool:
    return snapshot.time > datetime.now(UTC) + _AHEAD


def _is_dead(lock: Mapping[str, Any]) -> bool:
    """Tell whether a lock is of this machine and its process has ended; another program may have its number."""
    if lock["hostname"] != socket.gethostname():
        return False
    try:
        process = psutil.Process(int(lock["pid"]))
        return process.name() != "restic" or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def _remedy(run: ProgramRun) -> str:
    errors = run.errors.lower()
    if "wrong password" in errors:
        return "put the password of this repository into the file SIRENA_BACKUP_PASSWORD_FILE names"
    if "no space left" in errors or "disk quota" in errors:
        return "make room at the repository's place, or set SIRENA_BACKUP_REPOSITORY to a larger one; then repeat"
    if "already locked" in errors:
        return "another machine is at work in this repository; if not: `restic unlock`"
    return "see SIRENA_BACKUP_REPOSITORY, its rights and its keys; repeating the command is safe"


def _moment(text: str) -> datetime | None:
    if len(text) < len("2026-01-01"):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if len(text) == len("2026-01-01"):
        moment = datetime.combine(moment.date(), time.max)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
