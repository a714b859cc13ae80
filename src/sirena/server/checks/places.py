"""Checking `SIRENA_HOME`: that it can be written, is on a disk of this machine, and has space."""

import os
from pathlib import Path
from typing import Final

import psutil

from sirena.host.accounts import nearest_folder
from sirena.server.backup.places import password_file
from sirena.server.backup.repository import Repository
from sirena.server.checks.conditions import disk_condition
from sirena.server.checks.finding import Area, CheckReport, CheckVerdict
from sirena.server.checks.standing import StackStanding, StackState
from sirena.server.supervision.supervisor import Supervisor
from sirena.settings.catalogue import Settings

_GIB: Final = 2**30
_OTHER_MACHINES: Final = ("nfs", "cifs", "smb", "ceph", "glusterfs", "afs", "9p", "fuse.sshfs", "fuse.s3fs", "lustre")
"""Beginnings of the names of file systems whose files lie on another machine."""
_PASSING: Final = {
    "tmpfs": "in memory: everything is gone after a restart of the machine",
    "ramfs": "in memory: everything is gone after a restart of the machine",
    "overlay": "in a container's own layer, which goes with the container",
}


def look_at_places(settings: Settings, check_report: CheckReport, standing: StackStanding) -> None:
    """Check `SIRENA_HOME` and its disk."""
    with check_report.looking(Area.ACCOUNTS, "SIRENA_HOME"):
        _look_at_home(settings, check_report, standing)
    with check_report.looking(Area.ACCOUNTS, "file system"):
        _look_at_kind(settings, check_report)
    with check_report.looking(Area.MACHINE, "disk"):
        check_report.findings.append(disk_condition(settings))


def look_at_server_places(settings: Settings, check_report: CheckReport, standing: StackStanding) -> None:
    """Check what only a server has: room for the object store, and the place of backups."""
    with check_report.looking(Area.MACHINE, "room for artifacts"):
        _look_at_store_size(settings, check_report)
    if standing.state is not StackState.HIDDEN:
        with check_report.looking(Area.ACCOUNTS, "backup repository"):
            _look_at_repository(settings, check_report)


def file_system(path: Path) -> str:
    """Return the type of the file system that a path is on, as the kernel names it.

    Args:
        path: an absolute path that exists.
    """
    kind, longest, path = "", -1, path.resolve()
    for mount in psutil.disk_partitions(all=True):
        point = Path(mount.mountpoint)
        # of two mounts on one folder the later hides the earlier
        if path.is_relative_to(point) and len(point.parts) >= longest:
            kind, longest = mount.fstype, len(point.parts)
    return kind


def _look_at_home(settings: Settings, check_report: CheckReport, standing: StackStanding) -> None:
    home, existing_folder = settings.home, nearest_folder(settings.home)
    # refuses a folder whose name is too long for the supervisor's socket
    Supervisor(home).require_short_path()
    if not existing_folder.is_dir():
        check_report.note(
            Area.ACCOUNTS,
            "SIRENA_HOME",
            CheckVerdict.WRONG,
            f"{existing_folder} is no folder",
            "set SIRENA_HOME to another",
        )
    elif not os.access(existing_folder, os.W_OK | os.X_OK):
        text = f"{existing_folder} cannot be written by this account"
        remedy = "look as whoever runs `sirena up`: `sudo -E sirena doctor`; or set SIRENA_HOME to a folder of yours"
        verdict = CheckVerdict.UNSEEN if standing.state is StackState.HIDDEN else CheckVerdict.WRONG
        check_report.note(Area.ACCOUNTS, "SIRENA_HOME", verdict, text, remedy)
    else:
        text = f"{home}" if existing_folder == home else f"{home}, made by `sirena up`"
        check_report.note(Area.ACCOUNTS, "SIRENA_HOME", CheckVerdict.WELL, text)


def _look_at_kind(settings: Settings, check_report: CheckReport) -> None:
    kind = file_system(nearest_folder(settings.home))
    local = "set SIRENA_HOME to a folder on a disk of this machine"
    if kind.startswith(_OTHER_MACHINES):
        text = f"{kind}, on another machine: databases lose data there when the network fails"
        check_report.note(Area.ACCOUNTS, "file system", CheckVerdict.WRONG, text, local)
    elif kind in _PASSING:
        remedy = f"{local}; in a container to a volume"
        check_report.note(Area.ACCOUNTS, "file system", CheckVerdict.WARNING, f"{kind}, {_PASSING[kind]}", remedy)
    else:
        check_report.note(Area.ACCOUNTS, "file system", CheckVerdict.WELL, f"{kind}, of this machine")


def _look_at_repository(settings: Settings, check_report: CheckReport) -> None:
    """Check the folder of the backup repository; one that is not a folder is only checked by a backup."""
    repository = Repository(settings)
    elsewhere = "set SIRENA_BACKUP_REPOSITORY to a place on another machine"
    folder = nearest_folder(Path(repository.location))
    if repository.is_on_this_machine:
        text, verdict, remedy = "below SIRENA_HOME, and lost together with it", CheckVerdict.WARNING, elsewhere
    elif not Path(repository.location).is_absolute():
        text, verdict, remedy = (
            f"{repository.location}, looked at by `sirena backup`",
            CheckVerdict.UNSEEN,
            "sirena backup",
        )
    elif not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        text, verdict = f"{folder} cannot be written by this account", CheckVerdict.WRONG
        remedy = f"`ls -ld {folder}` and `mount` say why; or {elsewhere}"
    elif repository.is_on_the_same_disk:
        text, verdict, remedy = "on the disk of SIRENA_HOME, and lost together with it", CheckVerdict.WARNING, elsewhere
    else:
        text = f"{repository.location}; keep a copy of its password elsewhere too: {password_file(settings)}"
        verdict, remedy = CheckVerdict.WELL, ""
    check_report.note(Area.ACCOUNTS, "backup repository", verdict, text, remedy)


def _look_at_store_size(settings: Settings, check_report: CheckReport) -> None:
    store = settings.home / "ceph"
    if settings.s3_endpoint_url or store.exists():
        return
    use = os.statvfs(nearest_folder(settings.home))
    free = use.f_bavail * use.f_frsize / _GIB
    if free < settings.s3_size_gb:
        text = f"artifacts may grow to {settings.s3_size_gb:.0f} GiB, and {free:.0f} are free"
        remedy = "enlarge the disk, or set SIRENA_S3_SIZE_GB lower before the first start"
        check_report.note(Area.MACHINE, "room for artifacts", CheckVerdict.WARNING, text, remedy)
