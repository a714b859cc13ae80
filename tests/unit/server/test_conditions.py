"""What `sirena status` says of disk, certificate, backup and drill, and when it is urgent."""

import json
import os
import shutil
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sirena.server.backup.state import Activity, noting
from sirena.server.checks import conditions as module
from sirena.server.checks.conditions import conditions
from sirena.server.checks.finding import Area, CheckFinding, CheckVerdict
from sirena.server.object_store.store_file import StoreFile
from sirena.server.object_store.store_room import StoreRoom
from sirena.server.parts import postgresql
from sirena.settings.catalogue import CertificateSource, Settings
from tests.command_line import run_command

Usage = namedtuple("Usage", "total used free")
GIB = 2**30


def found(settings: Settings, name: str) -> CheckFinding:
    """Return one of the conditions."""
    return next(one for one in conditions(settings) if one.name == name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A server that was never brought up."""
    return Settings(home=tmp_path, profile="production")


@pytest.mark.parametrize(
    ("total", "free", "limits"),
    [(100, 50, 0), (100, 9, 1), (100, 1, 2), (20, 1, 1), (4000, 100, 0), (1000, 9, 1)],
)
def test_a_disk_is_full_by_share_and_by_room(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, total: int, free: int, limits: int
) -> None:
    """Two per cent of a large disk are enough; two gigabytes of a small one are a warning."""
    usage = Usage(total * GIB, (total - free) * GIB, free * GIB)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert found(settings, "disk").verdict is CheckVerdict.past(limits)


@pytest.mark.parametrize(("free", "limits"), [(20, 0), (14, 1), (4, 2)])
def test_a_disk_is_full_by_its_number_of_files_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free: int, limits: int
) -> None:
    """Inodes end while gigabytes are free; Btrfs has no number of them."""
    usage = Usage(100 * GIB, 50 * GIB, 50 * GIB)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    real = os.statvfs(settings.home)
    places = list(real)
    for total, expected in ((1000, limits), (0, 0)):
        places[5:8] = [total, 10 * free, 10 * free]
        monkeypatch.setattr(os, "statvfs", lambda _, found=tuple(places): os.statvfs_result(found))
        condition = found(settings, "disk")
        assert (condition.verdict, "inodes" in condition.told) == (CheckVerdict.past(expected), expected > 0)


@pytest.mark.parametrize(("used", "limits"), [(69, 0), (70, 1), (79, 1), (80, 2), (96, 2)])
def test_the_object_store_is_told_long_before_it_takes_no_more(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, used: int, limits: int
) -> None:
    """Ceph warns at 85 % and stops at 95 %; what to do stands beside the warning."""
    monkeypatch.setattr(module, "ask_room", lambda _: StoreRoom(100 * GIB, used * GIB))
    condition = found(settings, "object store")
    assert (condition.verdict, f"{used}.0 of 100.0 GiB in use ({used} %)" in condition.told) == (
        CheckVerdict.past(limits),
        True,
    )
    assert ("SIRENA_S3_SIZE_GB" in condition.remedy) == bool(limits)


def test_an_object_store_that_was_never_made_is_told(settings: Settings) -> None:
    """At once, since there is nothing to ask."""
    assert found(settings, "object store") == CheckFinding(
        Area.STACK, "object store", CheckVerdict.WARNING, "cannot be asked: there is none yet", "sirena up"
    )


def test_the_disk_tells_when_the_object_store_is_promised_more_than_it_has(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A remark and no warning: the disk's own limits warn before it is full."""
    block = StoreFile(settings).path
    block.parent.mkdir(parents=True)
    (settings.home / "ceph" / "prepared").touch()
    with block.open("wb") as file:
        file.truncate(40 * GIB)
    for free, remarked in ((100, False), (39, True)):
        usage = Usage(200 * GIB, (200 - free) * GIB, free * GIB)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        condition = found(settings, "disk")
        assert (condition.verdict, "promises the object store 40.0 GiB more" in condition.told) == (
            CheckVerdict.WELL,
            remarked,
        )
    theirs = settings.model_copy(update={"s3_endpoint_url": "https://minio.example:9000"})
    assert "promises" not in found(theirs, "disk").told
    assert "object store" not in {one.name for one in conditions(theirs)}


@pytest.mark.parametrize(("days", "limits"), [(90, 0), (21, 0), (20, 1), (3, 1), (2, 2), (-1, 2)])
def test_a_certificate_that_was_not_renewed_is_told_in_time(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, days: int, limits: int
) -> None:
    """Nine days after certbot began to fail, and urgent in the last three."""
    monkeypatch.setattr(module, "days_left", lambda _: days)
    monkeypatch.setattr(module, "is_valid_yet", lambda _: True)
    assert found(settings, "certificate").verdict is CheckVerdict.past(limits)


def test_a_missing_certificate_is_told(tmp_path: Path) -> None:
    """Somebody took the hospital's file away."""
    gone = Settings(
        home=tmp_path,
        profile="production",
        tls=CertificateSource.FILES,
        tls_certificate=tmp_path / "gone.pem",
        tls_key=tmp_path / "gone.key",
    )
    assert found(gone, "certificate").verdict is CheckVerdict.WRONG
    assert "cannot be read" in found(gone, "certificate").told


def test_backups_are_none_yet_fresh_failed_old(settings: Settings) -> None:
    """Each from the note a real run leaves."""
    assert found(settings, "backup") == CheckFinding(Area.STACK, "backup", CheckVerdict.WELL, "none yet")
    off = settings.model_copy(update={"backup_at": "off"})
    assert found(off, "backup").verdict is CheckVerdict.WARNING
    with pytest.raises(OSError, match="disk"), noting(settings, Activity.BACKUP):
        raise OSError("disk")
    assert found(settings, "backup").verdict is CheckVerdict.WRONG
    with noting(settings, Activity.BACKUP) as note:
        note.snapshot = "0123456789abcdef"
    assert found(settings, "backup").verdict is CheckVerdict.WELL
    assert "01234567" in found(settings, "backup").told
    with pytest.raises(OSError, match="disk"), noting(settings, Activity.BACKUP):
        raise OSError("disk")
    assert found(settings, "backup").verdict is CheckVerdict.WARNING
    assert "failed" in found(settings, "backup").told
    for hours, limits in ((27, CheckVerdict.WARNING), (73, CheckVerdict.WRONG)):
        _age(settings, hours)
        assert found(settings, "backup").verdict is limits


def test_a_drill_is_old_after_a_week(settings: Settings) -> None:
    """And urgent after a month."""
    with noting(settings, Activity.DRILL):
        pass
    assert found(settings, "drill").verdict is CheckVerdict.WELL
    for days, limits in ((9, CheckVerdict.WARNING), (32, CheckVerdict.WRONG)):
        _age(settings, days * 24, "drill")
        assert found(settings, "drill").verdict is limits


def test_the_first_backup_under_way_is_no_alarm(settings: Settings) -> None:
    """Unless it has been so for hours: then it was killed."""
    with noting(settings, Activity.BACKUP):
        condition = found(settings, "backup")
        assert (condition.verdict, "the first is under way" in condition.told) == (CheckVerdict.WELL, True)
        file = settings.home / "backup" / "state.json"
        state = json.loads(file.read_text())
        state["backup"]["finished"] = (datetime.now(UTC) - timedelta(hours=5)).isoformat()
        file.write_text(json.dumps(state))
        assert found(settings, "backup").verdict is CheckVerdict.WRONG


def test_a_backup_noted_ahead_of_the_clock_is_told(settings: Settings) -> None:
    """A clock that was a year ahead, or is a year behind: nobody can say how old it is."""
    with noting(settings, Activity.BACKUP):
        pass
    _age(settings, -24 * 365)
    condition = found(settings, "backup")
    assert (condition.verdict, "ahead of the clock" in condition.told, "timedatectl" in condition.remedy) == (
        CheckVerdict.WARNING,
        True,
        True,
    )


def test_one_persons_machine_has_a_disk_only(tmp_path: Path) -> None:
    """No certificate, and no backup of ours."""
    assert [one.name for one in conditions(Settings(home=tmp_path / "new", profile="embedded"))] == ["disk"]


def test_a_monitor_gets_one_line_and_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """2 is critical to a monitor; a person's exit code is 1."""
    monkeypatch.setenv("SIRENA_HOME", str(tmp_path))
    told = run_command(capsys, ["status", "--monitor"])
    assert told.code == 2
    assert told.output.startswith("SIRENA CRITICAL: mlflow not running; service not running")
    assert len(told.output.splitlines()) == 1
    assert run_command(capsys, ["status"]).code == 1


def test_a_monitor_is_told_as_critical_what_keeps_status_from_looking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program that somebody removed, a wrong setting: 1 would be a warning to it, and it reads standard output."""
    monkeypatch.setenv("SIRENA_HOME", str(tmp_path))
    monkeypatch.setenv("SIRENA_PROFILE", "production")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgresql, "DEBIANS", tmp_path)
    told = run_command(capsys, ["status", "--monitor"])
    assert (told.code, told.output) == (2, "SIRENA CRITICAL: postgres is not installed\n")
    monkeypatch.setenv("SIRENA_PORT", "none")
    told = run_command(capsys, ["status", "--monitor"])
    assert (told.code, told.output.startswith("SIRENA CRITICAL: wrong setting: SIRENA_PORT")) == (2, True)


def _age(settings: Settings, hours: int, activity: str = "backup") -> None:
    file = settings.home / "backup" / "state.json"
    state = json.loads(file.read_text())
    state[activity]["succeeded"] = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
    file.write_text(json.dumps(state))
