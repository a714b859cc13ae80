"""Backups, as far as they need no server: what is due, which snapshot is meant, what a manifest finds."""

import os
import signal
from contextlib import nullcontext
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.domain.errors import UsageError
from sirena.host.one_at_a_time import one_at_a_time
from sirena.server.backup import room
from sirena.server.backup.answers import COLUMNS, ORGANISMS, fixed_isolates
from sirena.server.backup.configuration import collect, put_back
from sirena.server.backup.errors import BackupError, BackupRunningError, DamagedBackupError
from sirena.server.backup.exclusive import exclusive
from sirena.server.backup.manifest import FileFacts, LedgerEnd, Manifest, facts_of, files_of
from sirena.server.backup.places import places_of
from sirena.server.backup.repository import Repository, Snapshot
from sirena.server.backup.room import Purpose, require_room
from sirena.server.backup.schedule import due
from sirena.server.backup.state import Activity, RunOutcome, noting, read_backup_state
from sirena.server.backup.tools import run_tool
from sirena.server.object_store.store_room import StoreRoom
from sirena.settings.catalogue import Settings, load_settings
from tests.command_line import run_command

MONDAY = datetime(2026, 11, 23, 12, 0)
AT = time(2, 30)


@pytest.mark.parametrize(
    ("last", "weekly", "expected"),
    [
        (MONDAY - timedelta(hours=9), False, False),
        (MONDAY - timedelta(hours=10), False, True),
        (MONDAY - timedelta(days=30), False, True),
        (MONDAY + timedelta(days=1), False, False),
        (MONDAY + timedelta(days=365), False, True),
        (MONDAY + timedelta(days=365), True, True),
        (datetime(2026, 11, 22, 2, 31), True, False),
        (datetime(2026, 11, 22, 2, 29), True, True),
        (datetime(2026, 11, 21), True, True),
    ],
)
def test_what_the_clock_passed_since_the_last_time_is_due_once(last: datetime, weekly: bool, expected: bool) -> None:
    """Daily at 02:30, weekly on Sunday; a machine that slept catches up, a clock set back by hours repeats nothing.

    What a clock a year ahead noted would else keep backups away for that year.
    """
    assert due(MONDAY, AT, last, weekly=weekly) is expected


def test_before_the_hour_yesterdays_counts() -> None:
    """At 02:00 the last planned one is that of the day before."""
    now = datetime(2026, 11, 23, 2, 0)
    assert not due(now, AT, datetime(2026, 11, 22, 2, 30))
    assert due(now, AT, datetime(2026, 11, 22, 2, 29))


class _Listed(Repository):
    """A repository of three known snapshots."""

    def snapshots(self) -> list[Snapshot]:
        """Return them."""
        days = (("aaaa1111", 20), ("bbbb2222", 21), ("cccc3333", 22))
        return [Snapshot(name, datetime(2026, 11, day, 2, 30, tzinfo=UTC)) for name, day in days]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("", "cccc3333"),
        ("latest", "cccc3333"),
        ("bbbb", "bbbb2222"),
        ("BBBB2222deadbeef", "bbbb2222"),
        ("2026-11-21", "bbbb2222"),
        ("2026-11-21T02:29", "aaaa1111"),
        ("2026-11-21T03:30+01:00", "bbbb2222"),
        ("2027-01-01", "cccc3333"),
    ],
)
def test_a_snapshot_is_named_by_id_or_moment(at: str, expected: str) -> None:
    """A moment means the latest not after it, a date its end, in UTC unless a zone is named."""
    assert _Listed(Settings()).find(at).id == expected


@pytest.mark.parametrize("at", ["2026-11-19", "dddd", "yesterday"])
def test_a_snapshot_there_is_not_is_wrong_use(at: str) -> None:
    """The error names those there are."""
    with pytest.raises(UsageError) as refused:
        _Listed(Settings()).find(at)
    assert "cccc3333" in refused.value.hint


def test_a_manifest_finds_what_is_missing_altered_or_too_many(tmp_path: Path) -> None:
    """Each by name; written and read it is the same."""
    (tmp_path / "objects").mkdir()
    for name in ("objects/a", "objects/b", "c"):
        (tmp_path / name).write_text(name)
    files = {path: facts_of(tmp_path / path) for path in files_of(tmp_path)}
    manifest = Manifest("2026-11-23T02:30:00+00:00", {}, files, {"mlflow": {"runs": 3}}, "b", LedgerEnd(1, "0" * 64))
    manifest.write(tmp_path)
    assert Manifest.read(tmp_path) == manifest
    assert set(manifest.objects) == {"a", "b"}
    manifest.verify(tmp_path)
    (tmp_path / "objects/a").write_text("objects/A")
    (tmp_path / "c").unlink()
    (tmp_path / "d").write_text("")
    with pytest.raises(DamagedBackupError, match=r"c is missing; d is not in the manifest; objects/a was altered"):
        manifest.verify(tmp_path)


@pytest.mark.parametrize("content", [None, "", "[]", '{"files": 3}', '{"files": {}, "ledger_end": null}'])
def test_a_manifest_that_is_none_is_told(tmp_path: Path, content: str | None) -> None:
    """Missing, empty or of another form."""
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(DamagedBackupError, match="manifest"):
        Manifest.read(tmp_path)


def test_one_at_a_time(tmp_path: Path) -> None:
    """The second is refused and told of the first; afterwards the way is free."""
    settings = Settings(home=tmp_path)
    with (
        exclusive(settings, "drill"),
        pytest.raises(BackupRunningError, match="a drill"),
        exclusive(settings, "backup"),
    ):
        pass
    with exclusive(settings, "backup"):
        pass


def test_a_program_that_outlives_its_backup_keeps_the_next_away(tmp_path: Path) -> None:
    """Until it ends: restic may still write after the command that started it was killed."""
    settings = Settings(home=tmp_path)
    with exclusive(settings, "backup"):
        program = int(run_tool(["sh", "-c", "sleep 60 >&- 2>&- & echo $!"], {}, folder=tmp_path).output)
    with pytest.raises(BackupRunningError, match="a backup"), exclusive(settings, "drill"):
        pass
    os.kill(program, signal.SIGKILL)
    with one_at_a_time(places_of(settings).lock):
        pass
    with exclusive(settings, "drill"):
        pass


def test_how_the_last_one_ended_is_noted_however_it_ends(tmp_path: Path) -> None:
    """Well, with an error's text, by an interrupt, or not at all; the last success stays known."""
    settings = Settings(home=tmp_path)
    assert read_backup_state(settings).backup is None
    with noting(settings, Activity.BACKUP) as note:
        unfinished = read_backup_state(settings).backup
        note.snapshot = "aaaa1111"
    assert unfinished is not None
    assert (unfinished.outcome, unfinished.succeeded, unfinished.age) == (RunOutcome.UNFINISHED, None, None)
    done = read_backup_state(settings).backup
    assert done is not None
    assert (done.outcome, done.snapshot) == (RunOutcome.OK, "aaaa1111")
    for error, told in ((UsageError("no room"), "no room"), (KeyboardInterrupt(), "interrupted")):
        with pytest.raises(type(error)), noting(settings, Activity.BACKUP):
            raise error
        failed = read_backup_state(settings).backup
        assert failed is not None
        assert (failed.outcome, failed.failure, failed.succeeded) == (RunOutcome.FAILED, told, done.succeeded)
    assert read_backup_state(settings).drill is None


def test_an_unreadable_note_reads_as_none(tmp_path: Path) -> None:
    """A monitor must not die of it."""
    (tmp_path / "backup").mkdir()
    for content in ("", "[]", '{"backup": {}}', '{"other": 1}'):
        (tmp_path / "backup" / "state.json").write_text(content)
        assert read_backup_state(Settings(home=tmp_path)).backup is None


def test_configuration_goes_without_secrets_and_comes_back_to_a_fresh_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings, the files they name, imported editions; what is left out is named; a machine keeps its own."""
    policy, edition = tmp_path / "policy.toml", tmp_path / "old" / "guidelines" / "clsi_2030"
    policy.write_text("# ours\n")
    overlay = tmp_path / "hospital.csv"
    overlay.write_text("rows\n")
    overlay.chmod(0o600)
    edition.mkdir(parents=True)
    (edition / "breakpoints.csv").write_text("rows")
    old = Settings(
        home=tmp_path / "old",
        rate=7,
        policy=policy,
        overlay=overlay,
        aws_secret_access_key=SecretStr("verysecretword"),
        tracking_uri="https://ana:secretword@mlflow.example",
    )
    assert sorted(collect(old, tmp_path / "set")) == ["AWS_SECRET_ACCESS_KEY", "MLFLOW_TRACKING_URI"]
    assert "secretword" not in (tmp_path / "set" / "configuration" / "settings.env").read_text()
    new = tmp_path / "new"
    monkeypatch.setenv("SIRENA_HOME", str(new))
    settings, _ = put_back(load_settings(), tmp_path / "set")
    assert (settings.rate, settings.policy) == (7, new / "policy" / "policy.toml")
    assert (new / "policy" / "policy.toml").read_text() == "# ours\n"
    assert settings.overlay == new / "overlay" / "hospital.csv"
    assert settings.overlay.read_text() == "rows\n"
    assert [file.stat().st_mode & 0o777 for file in (settings.overlay.parent, settings.overlay)] == [0o755, 0o644]
    assert (new / "settings.env").stat().st_mode & 0o777 == 0o600
    assert (new / "guidelines" / "clsi_2030" / "breakpoints.csv").read_text() == "rows"
    (new / "settings.env").write_text("SIRENA_RATE=9\n")
    kept, told = put_back(load_settings(), tmp_path / "set")
    assert kept.rate == 9
    assert "settings.restored.env" in told
    assert "SIRENA_RATE=7" in (new / "settings.restored.env").read_text()


@pytest.mark.parametrize(
    "label", ["Hospital #1", "l'Hospital", '"Norte"', "a\\b", "  two  ", "$HOME", "PROA=clinician; Heads=approver # x"]
)
def test_a_setting_comes_back_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, label: str) -> None:
    """Whatever sign is in it; half a line end would be another setting, so that one is named and left out."""
    old = Settings(home=tmp_path / "old", oidc_label=label, oidc_client_id="x\nSIRENA_RATE=1", user="${HOME}")
    assert collect(old, tmp_path / "set") == ["SIRENA_OIDC_CLIENT_ID", "SIRENA_USER"]
    monkeypatch.setenv("SIRENA_HOME", str(tmp_path / "new"))
    settings, _ = put_back(load_settings(), tmp_path / "set")
    assert settings.oidc_label == label
    assert settings.oidc_client_id == settings.user == ""


def test_fixed_isolates_ask_every_model_under_both_guidelines() -> None:
    """Every antimicrobial × 2 letters; every MIC of the scale; invented, the same for ever."""
    assert len(COLUMNS) == 2 * len(ANTIMICROBIALS)
    assert len(fixed_isolates()) == len(set(fixed_isolates())) == 84 * len(ORGANISMS)
    assert ("eco", "<=0.25") in fixed_isolates()


def test_a_watch_that_is_off_says_so(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's timer backs up."""
    monkeypatch.setenv("SIRENA_BACKUP_AT", "off")
    refused = run_command(capfd, ["backup", "--watch"])
    assert (refused.code, "SIRENA_BACKUP_AT is off" in refused.errors) == (2, True)


@pytest.mark.parametrize("command", ["backup", "drill", "restore"])
def test_the_embedded_profile_is_refused_with_what_to_do(command: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Wrong use: it is a folder to copy."""
    refused = run_command(capfd, [command])
    assert refused.code == 2
    assert "copy" in refused.errors


@pytest.mark.parametrize(
    ("used", "size", "count", "endpoint", "refused"),
    [
        (0.3, 2**20, 500, "", False),
        (0.3, 2**20, 520, "", True),
        (0.5, 2**20, 400, "", True),
        (0.3, 1, 140_000, "", True),
        (0.3, 2**20, 520, "https://minio.example:9000", False),
    ],
)
def test_a_drill_that_would_fill_the_store_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, used: float, size: int, count: int, endpoint: str, refused: bool
) -> None:
    """The objects, each in whole blocks, beside what 1 GiB holds; of another's endpoint the size is not known."""
    settings = Settings.model_validate({"home": tmp_path, "MLFLOW_S3_ENDPOINT_URL": endpoint})
    monkeypatch.setattr(room, "ask_room", lambda _: StoreRoom(2**30, int(used * 2**30)))
    objects = {str(number): FileFacts("", size) for number in range(count)}
    with pytest.raises(BackupError, match="no room for them") if refused else nullcontext():
        require_room(settings, objects, Purpose.DRILL)


def test_a_restore_may_fill_the_store_further_than_a_drill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Onto a store as large as the one that was lost; not to the brim, where Ceph takes no more."""
    monkeypatch.setattr(room, "ask_room", lambda _: StoreRoom(2**30, 0))
    settings = Settings(home=tmp_path)
    require_room(settings, {"one": FileFacts("", int(0.89 * 2**30))}, Purpose.RESTORE)
    with pytest.raises(BackupError, match="a restore puts"):
        require_room(settings, {"one": FileFacts("", int(0.91 * 2**30))}, Purpose.RESTORE)
