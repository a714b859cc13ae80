"""The repository, with the real restic: what it keeps, what it refuses to begin anew, what a wrong clock does to it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sirena.server.backup.errors import BackupError
from sirena.server.backup.places import password_file, places_of
from sirena.server.backup.repository import Repository
from sirena.settings.catalogue import Settings
from tests.cheap_key import make_key_cheap
from tests.command_line import run_command

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository on a disk of its own, with one snapshot, and the home it belongs to."""
    home = tmp_path / "home"
    (tmp_path / "nas").mkdir()
    found = Repository(Settings(home=home, backup_repository=str(tmp_path / "nas" / "sirena")))
    places_of(found.settings).open()
    found.ensure()
    make_key_cheap(Path(found.location), password_file(found.settings))
    return found


def save_at(repository: Repository, moment: datetime, *tags: str) -> str:
    """Save something as a snapshot of another time; return its id."""
    folder = repository.settings.home / "set"
    folder.mkdir(exist_ok=True)
    (folder / "what").write_text(moment.isoformat())
    environment = {
        **os.environ,
        "RESTIC_REPOSITORY": repository.location,
        "RESTIC_PASSWORD_FILE": str(password_file(repository.settings)),
        "RESTIC_CACHE_DIR": str(places_of(repository.settings).cache),
    }
    given = ["--host", "sirena", "--tag", ",".join(("sirena", *tags)), "--time", f"{moment:%Y-%m-%d %H:%M:%S}"]
    command = ["restic", "backup", "--json", *given, "."]
    ended = subprocess.run(command, cwd=folder, env={**environment, "TZ": "UTC"}, check=True, capture_output=True)
    return str(json.loads(ended.stdout.splitlines()[-1])["snapshot_id"])[:8]


def test_a_repository_that_is_gone_is_not_begun_anew(repository: Repository) -> None:
    """Its disk is not mounted: a new one would fill the disk below, and everybody would believe in it."""
    mounted = Path(repository.location).parent
    aside = mounted.rename(mounted.with_name("unmounted"))
    mounted.mkdir()
    with pytest.raises(BackupError, match="is gone") as refused:
        repository.ensure()
    assert "is its disk mounted" in refused.value.hint
    assert not list(mounted.iterdir())
    mounted.rmdir()
    aside.rename(mounted)
    repository.ensure()


def test_another_place_is_begun_as_it_is_asked_for(repository: Repository, tmp_path: Path) -> None:
    """With the same password; and the former place again is opened, not made."""
    other = Repository(repository.settings.model_copy(update={"backup_repository": str(tmp_path / "other")}))
    other.ensure()
    assert other.snapshots() == []
    repository.ensure()
    shutil.rmtree(other.location)
    with pytest.raises(BackupError, match="is gone"):
        other.ensure()


def test_a_repository_that_was_restored_from_is_known(repository: Repository, tmp_path: Path) -> None:
    """On the new machine too its disk may not be mounted at the next backup."""
    second = tmp_path / "second"
    settings = repository.settings.model_copy(
        update={"home": second, "backup_password_file": password_file(repository.settings)}
    )
    places_of(settings).open()
    Repository(settings).require()
    shutil.rmtree(repository.location)
    with pytest.raises(BackupError, match="is gone"):
        Repository(settings).ensure()


def test_a_damaged_pack_blocks_only_the_backups_that_share_it(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A restore of one says in two lines what is damaged and what helps; an older one is taken out whole."""
    data = Path(repository.location, "data")
    older = save_at(repository, NOON)
    sound = {pack for pack in data.rglob("*") if pack.is_file()}
    newer = save_at(repository, NOON + timedelta(hours=1))
    for pack in {pack for pack in data.rglob("*") if pack.is_file()} - sound:
        pack.chmod(0o600)
        pack.write_bytes(bytes(pack.stat().st_size))
    for name, value in {
        "SIRENA_HOME": tmp_path / "second",
        "SIRENA_PROFILE": "production",
        "SIRENA_BACKUP_REPOSITORY": repository.location,
        "SIRENA_BACKUP_PASSWORD_FILE": password_file(repository.settings),
    }.items():
        monkeypatch.setenv(name, str(value))
    refused = run_command(capfd, ["restore"])
    lines = [line for line in refused.errors.splitlines() if line.startswith(("sirena:", "  remedy:"))]
    assert (refused.code, len(lines), "Traceback" in refused.errors) == (1, 2, False)
    assert f"backup {newer} cannot be taken out whole" in lines[0]
    assert "try an older one with --at" in lines[1]
    repository.take_out(repository.find(older), tmp_path / "out")
    assert (tmp_path / "out" / "what").read_text() == NOON.isoformat()


def test_a_lost_password_is_told_and_none_is_made(repository: Repository) -> None:
    """A new one would open nothing."""
    file = password_file(repository.settings)
    file.unlink()
    with pytest.raises(BackupError, match=f"{file} is missing"):
        repository.ensure()
    assert not file.exists()


def test_a_folder_on_the_disk_of_the_home_is_known(repository: Repository) -> None:
    """Where the disk meant for it is not mounted, the first backup goes there."""
    assert repository.is_on_the_same_disk
    assert not repository.is_on_this_machine
    for place in ("s3:https://host/bucket", "/proc/nowhere"):
        elsewhere = Repository(repository.settings.model_copy(update={"backup_repository": place}))
        assert not elsewhere.is_on_the_same_disk


def kept(moments: list[datetime]) -> set[datetime]:
    """Return what 7 daily, 5 weekly and 12 monthly ones are: of each day, week, month the last."""
    found: set[datetime] = set()
    rules: tuple[tuple[int, Callable[[datetime], object]], ...] = (
        (7, lambda at: at.date()),
        (5, lambda at: at.isocalendar()[:2]),
        (12, lambda at: (at.year, at.month)),
    )
    for count, period in rules:
        last = {period(at): at for at in sorted(moments)}
        found |= set(sorted(last.values())[-count:])
    return found


@pytest.mark.slow
def test_two_years_leave_seven_days_five_weeks_and_twelve_months(repository: Repository) -> None:
    """Days of the last fortnight, weeks before and months before those; one before an upgrade stands by itself."""
    moments = [NOON - timedelta(days=day) for day in (*range(9), *range(14, 42, 7), *range(50, 400, 30), 700)]
    for moment in moments:
        save_at(repository, moment)
    before_upgrade = save_at(repository, NOON - timedelta(hours=2), "before-upgrade")
    repository.thin_out()
    found = repository.snapshots()
    assert {one.time for one in found if one.id != before_upgrade} == kept(moments)
    assert len(kept(moments)) < len(moments) - 2
    assert before_upgrade in {one.id for one in found}


def test_one_made_by_a_clock_ahead_is_not_the_latest(repository: Repository) -> None:
    """It would be for a year; by its id it is still found."""
    now = datetime.now(UTC).replace(microsecond=0)
    today = save_at(repository, now - timedelta(hours=1))
    assert repository.ahead_of_the_clock() == []
    ahead = save_at(repository, now + timedelta(days=365))
    assert [one.id for one in repository.ahead_of_the_clock()] == [ahead]
    assert repository.find("").id == today
    assert repository.find(ahead).id == ahead
