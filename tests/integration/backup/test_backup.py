"""Backups of a real stack: what is in them, what proves them, what becomes of them when something fails; restores.

One module, although long: a stack costs the better part of a minute, and every test here needs one.
"""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from sirena.ledger.store import open_ledger
from sirena.ledger.verification import verify
from sirena.server.backup.errors import DamagedBackupError
from sirena.server.backup.exclusive import exclusive
from sirena.server.backup.manifest import Manifest, facts_of
from sirena.server.backup.objects import Bucket
from sirena.server.backup.repository import Repository
from sirena.server.backup.state import BackupState, RunOutcome, read_backup_state
from sirena.server.object_store.s3 import s3_client
from tests.command_line import run_command
from tests.integration.backup.conftest import answers
from tests.integration.backup.machines import Machine, machine
from tests.production_machine import closed_port
from tests.small_release import make_release

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]


def _state(machine: Machine) -> BackupState:
    return read_backup_state(machine.settings)


def test_a_backup_is_noted_and_on_record(backed_up: Machine) -> None:
    """Snapshot, duration and age for `sirena status`; intention and outcome in the ledger."""
    noted = _state(backed_up).backup
    assert noted is not None
    assert (noted.outcome, noted.failure) == (RunOutcome.OK, "")
    assert noted.age is not None
    newest = list(open_ledger(backed_up.prepared).read(events=["backup"], last=2))
    assert [entry.outcome for entry in newest] == ["intended", "done"]
    assert newest[-1].facts()["snapshot"] == noted.snapshot


def test_a_set_holds_no_secret_and_no_dump_stays_behind(backed_up: Machine, tmp_path: Path) -> None:
    """No password of the machine in the configuration or anywhere else in the snapshot."""
    taken = backed_up.take_out(tmp_path / "set")
    content = b"".join(path.read_bytes() for path in taken.rglob("*") if path.is_file())
    secrets = [path for path in (backed_up.home / "secrets").iterdir() if path.is_file()]
    words = {line.rpartition(" ")[2].rpartition(":")[2] for path in secrets for line in path.read_text().splitlines()}
    assert len(words) > 5
    assert not [len(word) for word in words if len(word) > 15 and word.encode() in content]
    assert b"SIRENA_S3_PORT=" in (taken / "configuration" / "settings.env").read_bytes()
    assert not list((backed_up.home / "backup" / "set" / "databases").iterdir())
    assert (backed_up.home / "backup").stat().st_mode & 0o077 == 0
    assert (backed_up.home / "secrets" / "backup_password").stat().st_mode & 0o777 == 0o600


def test_a_drill_proves_the_release_by_its_answers(backed_up: Machine, capfd: Capture) -> None:
    """Every hash, the objects in a bucket, the ledger, the same answers; nothing stays, the living is as it was."""
    before = _objects(backed_up)
    done = run_command(capfd, ["drill"])
    assert done.code == 0, done.errors
    assert "objects were put into bucket sirena-drill, which holds them as sent" in done.output
    assert _objects(backed_up) == before
    assert "answers as recorded of panel_SIR/1, 504 of them categories" in done.output
    assert "entries are intact" in done.output
    noted = _state(backed_up).drill
    assert noted is not None
    assert noted.outcome is RunOutcome.OK
    _assert_no_scratch(backed_up)


def _assert_no_scratch(machine: Machine) -> None:
    with machine.databases() as databases:
        names = {row[0] for row in databases.ask("postgres", "SELECT datname FROM pg_database")}
    assert names == {"postgres", "template0", "template1", "mlflow", "sirena"}
    assert not (machine.home / "backup" / "drill").exists()
    assert "sirena-drill" not in _buckets(machine)


def _buckets(machine: Machine) -> set[str]:
    client = s3_client(machine.prepared, machine.stack.s3_endpoint)
    return {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}


def test_a_drill_leaves_a_bucket_that_is_not_its_own(backed_up: Machine, capfd: Capture) -> None:
    """Somebody else's bucket of the scratch name: refused, and what is in it stays."""
    client = s3_client(backed_up.prepared, backed_up.stack.s3_endpoint)
    client.create_bucket(Bucket="sirena-drill")
    client.put_object(Bucket="sirena-drill", Key="thesis", Body=b"years of work")
    refused = run_command(capfd, ["drill"])
    assert (refused.code, "holds what no drill put there" in refused.errors) == (1, True)
    assert client.get_object(Bucket="sirena-drill", Key="thesis")["Body"].read() == b"years of work"
    client.delete_object(Bucket="sirena-drill", Key="thesis")
    assert run_command(capfd, ["drill"]).code == 0
    _assert_no_scratch(backed_up)


def test_a_drill_that_may_not_make_its_bucket_is_told_what_to_allow(
    backed_up: Machine, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The endpoint refuses the name, which is longer than S3 permits; one error names bucket and remedy."""
    monkeypatch.setenv("SIRENA_S3_BUCKET", "b" * 60)
    refused = run_command(capfd, ["drill"])
    assert refused.code == 1
    assert f"refused the drill its scratch bucket {'b' * 60}-drill: " in refused.errors
    assert "make, fill and remove" in refused.errors
    _assert_no_scratch(backed_up)


def test_a_second_backup_fetches_only_what_is_new_or_rotted(backed_up: Machine, tmp_path: Path) -> None:
    """The mirror is compared with its hashes; a file that changed on disk comes anew, a removed object goes."""
    settings = backed_up.prepared
    client = s3_client(settings, backed_up.stack.s3_endpoint)
    client.create_bucket(Bucket="mirrored")
    for key in ("a/b", "a/c", "kept ü"):
        client.put_object(Bucket="mirrored", Key=key, Body=key.encode())
    folder, index = tmp_path / "mirror", tmp_path / "index.json"
    bucket = Bucket(client, "mirrored")
    before = bucket.mirror(folder, index, print)
    untouched = (folder / "kept ü").stat().st_ino
    (folder / "a/b").write_bytes(b"x/x")
    client.delete_object(Bucket="mirrored", Key="a/c")
    client.put_object(Bucket="mirrored", Key="folder/", Body=b"")
    after = bucket.mirror(folder, index, print)
    assert {key: before[key] for key in ("a/b", "kept ü")} == after
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == sorted(after)
    assert facts_of(folder / "a/b") == after["a/b"]
    assert (folder / "kept ü").stat().st_ino == untouched


def test_an_object_whose_key_cannot_be_a_path_is_backed_up_all_the_same(backed_up: Machine, tmp_path: Path) -> None:
    """One beside others below it, a name longer than files have, dots; each comes back, and a later mirror follows."""
    client = s3_client(backed_up.prepared, backed_up.stack.s3_endpoint)
    keys = {
        "run/model",
        "run/model/MLmodel",
        "run/model/a/b",
        "run/model/a",
        "x" * 300,
        "run/../up",
        "run/./here",
        "d/",
    }
    for bucket in ("clashing", "cleared"):
        client.create_bucket(Bucket=bucket)
    for key in keys:
        client.put_object(Bucket="clashing", Key=key, Body=key.encode())
    folder, index = tmp_path / "set" / "objects", tmp_path / "index.json"
    folder.parent.mkdir()
    clashing, cleared = Bucket(client, "clashing"), Bucket(client, "cleared")
    mirrored = clashing.mirror(folder, index, print)
    assert mirrored.keys() == keys
    manifest = Manifest("", {}, {f"objects/{key}": facts for key, facts in mirrored.items()}, {}, "clashing")
    manifest.verify(folder.parent)
    cleared.put_back(folder, manifest.objects, print)
    for key in keys:
        assert client.get_object(Bucket="cleared", Key=key)["Body"].read() == key.encode()
    assert not (tmp_path / "set" / "up").exists()
    client.delete_object(Bucket="clashing", Key="run/model")
    client.delete_object(Bucket="clashing", Key="run/model/a/b")
    assert clashing.mirror(folder, index, print).keys() == keys - {"run/model", "run/model/a/b"}
    assert (folder / "run/model/a").read_bytes() == b"run/model/a"
    with pytest.raises(DamagedBackupError, match="objects/run/model is missing"):
        manifest.verify(folder.parent)


def test_a_release_that_answers_otherwise_fails_the_drill(backed_up: Machine, tmp_path: Path, capfd: Capture) -> None:
    """One answer of 82,656, with every hash in order."""
    altered = backed_up.copy_of_repository(tmp_path)
    folder = altered.take_out(tmp_path / "set")
    answers = (folder / "answers.json").read_text()
    assert '"R","R"' in answers
    (folder / "answers.json").write_text(answers.replace('"R","R"', '"R","S"', 1))
    altered.save_altered(folder)
    _assert_drill_fails(altered, "answers otherwise", capfd)
    noted = _state(altered).drill
    assert noted is not None
    assert noted.outcome is RunOutcome.FAILED
    assert "answers otherwise" in noted.failure
    assert noted.succeeded is not None


def test_a_file_that_is_not_what_was_put_in_fails_the_drill(backed_up: Machine, tmp_path: Path, capfd: Capture) -> None:
    """Altered, missing or too many; each is named."""
    altered = backed_up.copy_of_repository(tmp_path)
    folder = altered.take_out(tmp_path / "set")
    one, other = sorted(path for path in (folder / "objects").rglob("MLmodel"))[:2]
    one.write_text("altered")
    other.unlink()
    altered.save_as_it_is(folder)
    _assert_drill_fails(altered, f"{one.relative_to(folder)} was altered", capfd)


def test_a_model_without_its_files_fails_the_drill(backed_up: Machine, tmp_path: Path, capfd: Capture) -> None:
    """The manifest is consistent, and a row of the database names what is not there."""
    altered = backed_up.copy_of_repository(tmp_path)
    folder = altered.take_out(tmp_path / "set")
    for file in (folder / "objects").rglob("MLmodel"):
        file.unlink()
    altered.save_altered(folder)
    _assert_drill_fails(altered, "have no files in the backup", capfd)


def test_a_version_of_nothing_does_not_fail_the_drill(
    backed_up: Machine, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may train can register a model that has no files; without a stage it is told, with one it fails."""
    altered = backed_up.copy_of_repository(tmp_path)
    folder = altered.take_out(tmp_path / "set")
    dump, tables = folder / "databases" / "mlflow.dump", Manifest.read(folder).tables
    version = (
        "INSERT INTO model_versions (workspace, name, version, current_stage, storage_location) SELECT workspace, "
        "name, 99, 'None', 'mlflow-artifacts:/0/models/m-none/artifacts' FROM registered_models LIMIT 1"
    )
    alias = (
        "INSERT INTO registered_model_aliases (workspace, name, version, alias) "
        "SELECT workspace, name, 99, 'staging' FROM model_versions WHERE version = 99"
    )
    monkeypatch.setenv("SIRENA_BACKUP_REPOSITORY", altered.settings.backup_repository)
    drills = []
    for statement in (version, alias):
        with altered.databases() as databases:
            databases.put_back(dump, "mlflow", "tampered", tables["mlflow"])
            with psycopg.connect(databases.url("postgres", "tampered")) as connection:
                connection.execute(statement.encode())
            tables = {**tables, "mlflow": databases.dump("tampered", dump).tables}
            databases.drop("tampered")
        altered.save_altered(folder, tables=tables)
        drills.append(run_command(capfd, ["drill"]))
    assert [one.code for one in drills] == [0, 1], drills
    assert "1 without a stage have none: artifacts/0/models/m-none/artifacts" in drills[0].output
    assert "1 models of the database have no files in the backup" in drills[1].errors


def test_a_ledger_altered_in_the_backup_fails_the_drill(backed_up: Machine, tmp_path: Path, capfd: Capture) -> None:
    """Somebody who can write the dump, the hashes and the row counts cannot write the chain."""
    altered = backed_up.copy_of_repository(tmp_path)
    folder = altered.take_out(tmp_path / "set")
    dump = folder / "databases" / "sirena.dump"
    with altered.databases() as databases:
        databases.put_back(dump, "sirena", "tampered", Manifest.read(folder).tables["sirena"])
        change = (
            "ALTER TABLE ledger_entries DISABLE TRIGGER ALL; UPDATE ledger_entries SET who = 'nobody' WHERE seq = 1; "
            "ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER ledger_keeps; "
            "ALTER TABLE ledger_entries ENABLE ALWAYS TRIGGER ledger_continues"
        )
        url = databases.url("postgres", "tampered")
        with psycopg.connect(url) as connection:
            connection.execute(change.encode())
        databases.dump("tampered", dump)
        databases.drop("tampered")
    altered.save_altered(folder)
    _assert_drill_fails(altered, "entry 1 was altered", capfd)


def _assert_drill_fails(machine: Machine, told: str, capfd: Capture) -> None:
    os.environ["SIRENA_BACKUP_REPOSITORY"] = machine.settings.backup_repository
    try:
        failed = run_command(capfd, ["drill"])
    finally:
        del os.environ["SIRENA_BACKUP_REPOSITORY"]
    assert failed.code == 1
    assert told in failed.errors
    _assert_no_scratch(machine)


def test_a_damaged_pack_is_found_and_nothing_is_removed(
    backed_up: Machine, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One flipped byte in the middle of a data pack: the next backup fails, the old snapshots stay."""
    damaged = backed_up.copy_of_repository(tmp_path)
    packs = sorted(Path(damaged.settings.backup_repository, "data").rglob("*"), key=lambda path: path.stat().st_size)
    content = bytearray(packs[-1].read_bytes())
    content[len(content) // 2] ^= 0xFF
    packs[-1].chmod(0o600)
    packs[-1].write_bytes(content)
    before = Repository(damaged.settings).snapshots()
    monkeypatch.setenv("SIRENA_BACKUP_REPOSITORY", damaged.settings.backup_repository)
    failed = run_command(capfd, ["backup"])
    assert failed.code == 1
    assert "is damaged" in failed.errors
    assert set(before) < set(Repository(damaged.settings).snapshots())
    noted = _state(backed_up).backup
    assert noted is not None
    assert noted.outcome is RunOutcome.FAILED


def test_two_at_once_are_refused(backed_up: Machine, capfd: Capture) -> None:
    """The second says who is at work, and what is noted of the first stays."""
    before = _state(backed_up)
    with exclusive(backed_up.settings, "backup"):
        for command in ("backup", "drill"):
            refused = run_command(capfd, [command])
            assert refused.code == 1
            assert f"a backup (process {os.getpid()}) is under way" in refused.errors
    assert _state(backed_up) == before


def test_a_wrong_password_is_told(
    backed_up: Machine, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a missing one, with where to put it; no new one is made for a repository that exists."""
    wrong = tmp_path / "password"
    wrong.write_text("another")
    monkeypatch.setenv("SIRENA_BACKUP_PASSWORD_FILE", str(wrong))
    for command in ("backup", "drill"):
        refused = run_command(capfd, [command])
        assert refused.code == 1
        assert "wrong password" in refused.errors
        assert "SIRENA_BACKUP_PASSWORD_FILE" in refused.errors
    wrong.unlink()
    missing = run_command(capfd, ["drill"])
    assert (missing.code, f"{wrong} is missing" in missing.errors) == (1, True)
    again = run_command(capfd, ["backup"])
    assert again.code == 1
    assert "put your copy" in again.errors
    assert not wrong.exists()


def test_a_repository_that_cannot_be_reached_is_told(
    backed_up: Machine, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing listens, or the folder cannot be made."""
    with closed_port() as port:
        monkeypatch.setenv("SIRENA_BACKUP_REPOSITORY", f"s3:http://127.0.0.1:{port}/backups")
        refused = run_command(capfd, ["backup"])
    assert (refused.code, "does not answer" in refused.errors) == (1, True)
    monkeypatch.setenv("SIRENA_BACKUP_REPOSITORY", "/proc/nowhere")
    refused = run_command(capfd, ["backup"])
    assert (refused.code, "/proc/nowhere" in refused.errors) == (1, True)


def test_a_repository_may_lie_in_s3_but_not_in_its_own_bucket(
    backed_up: Machine, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made, filled, checked and listed there; keys come from a file."""
    endpoint = backed_up.stack.s3_endpoint
    monkeypatch.setenv("SIRENA_BACKUP_REPOSITORY", f"s3:{endpoint}/backups")
    done = run_command(capfd, ["backup"])
    assert done.code == 0, done.errors
    assert len(Repository(backed_up.with_(backup_repository=f"s3:{endpoint}/backups").settings).snapshots()) == 1
    monkeypatch.setenv("SIRENA_BACKUP_REPOSITORY", f"s3:{endpoint}/sirena/backups")
    refused = run_command(capfd, ["backup"])
    assert (refused.code, "the bucket it would be a backup of" in refused.errors) == (2, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file system to fill")
def test_a_full_disk_fails_the_backup_and_harms_no_snapshot(
    backed_up: Machine, tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The repository's disk fills while it saves; with room again all goes on."""
    folder = tmp_path / "small"
    folder.mkdir()
    with _mounted(folder, "size=12m"):
        monkeypatch.setenv("SIRENA_BACKUP_REPOSITORY", str(folder / "repository"))
        assert run_command(capfd, ["backup"]).code == 0
        (folder / "filler").write_bytes(os.urandom(os.statvfs(folder).f_bavail * os.statvfs(folder).f_bsize - 20_000))
        failed = run_command(capfd, ["backup"])
        assert failed.code == 1
        assert "no space left" in failed.errors
        assert "make room" in failed.errors
        (folder / "filler").unlink()
        assert run_command(capfd, ["drill"]).code == 0


@contextmanager
def _mounted(folder: Path, options: str) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_backup_killed_midway_hinders_no_later_one(backed_up: Machine, capfd: Capture) -> None:
    """Its lock stays behind, its process does not; the next backup removes the lock and goes through."""
    locks = Path(Repository(backed_up.settings).location) / "locks"
    before = Repository(backed_up.settings).snapshots()
    process = backed_up.begin("backup")
    _stop_while(process, lambda: bool(_held(locks)))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert _held(locks)
    noted = _state(backed_up).backup
    assert noted is not None
    assert noted.outcome is RunOutcome.UNFINISHED
    assert noted.succeeded is not None
    done = run_command(capfd, ["backup"])
    assert done.code == 0, done.errors
    assert not _held(locks)
    assert len(Repository(backed_up.settings).snapshots()) > len(before) - 1


def _stop_while(process: "subprocess.Popen[str]", condition: Callable[[], bool]) -> None:
    """Stop all processes of a command at a moment at which something is so, and still is once they are stopped."""
    deadline = time.monotonic() + 180
    while True:
        assert time.monotonic() < deadline
        if condition():
            os.killpg(process.pid, signal.SIGSTOP)
            if condition():
                return
            os.killpg(process.pid, signal.SIGCONT)
        time.sleep(0.002)


def _held(locks: Path) -> list[Path]:
    return [path for path in locks.iterdir() if "-tmp-" not in path.name]


def test_a_killed_drill_leaves_nothing_after_the_next(backed_up: Machine, capfd: Capture) -> None:
    """Scratch databases, bucket and folder are there after the kill and gone after the next drill."""
    process = backed_up.begin("drill")
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("release, answers"):
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert (backed_up.home / "backup" / "drill").exists()
    assert "sirena-drill" in _buckets(backed_up)
    assert run_command(capfd, ["drill"]).code == 0
    _assert_no_scratch(backed_up)


def test_sigterm_ends_a_backup_in_order(backed_up: Machine) -> None:
    """Told, noted, no dump left behind."""
    process = backed_up.begin("backup")
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("database mlflow"):
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert process.returncode == 130
    noted = _state(backed_up).backup
    assert noted is not None
    assert (noted.outcome, noted.failure) == (RunOutcome.FAILED, "interrupted")
    assert not list((backed_up.home / "backup" / "set" / "databases").iterdir())


def test_the_watch_does_what_was_due_meanwhile(backed_up: Machine) -> None:
    """The last backup noted is days old: the part of the stack makes one at once, and ends on SIGTERM."""
    file = backed_up.home / "backup" / "state.json"
    before = _state(backed_up).backup
    assert before is not None
    file.write_text(file.read_text().replace(before.finished.isoformat(), "2026-01-01T02:30:00+00:00"))
    process = backed_up.begin("backup", "--watch")
    try:
        deadline = time.monotonic() + 360
        noted = None
        while noted is None or noted.outcome is not RunOutcome.OK or noted.finished < before.finished:
            assert time.monotonic() < deadline
            time.sleep(0.2)
            noted = _state(backed_up).backup
    finally:
        process.terminate()
        process.communicate(timeout=120)
    assert process.returncode == 130


def test_the_store_gone_is_told(backed_up: Machine, capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL or S3 does not answer: exit code 1, one clear error, noted."""
    with closed_port() as port:
        monkeypatch.setenv("SIRENA_S3_PORT", str(port))
        failed = run_command(capfd, ["backup"])
    assert failed.code == 1
    assert "bucket sirena failed: EndpointConnectionError" in failed.errors
    noted = _state(backed_up).backup
    assert noted is not None
    assert "bucket sirena failed" in noted.failure


@pytest.fixture(scope="module")
def second(backed_up: Machine) -> Iterator[Machine]:
    """A fresh machine: another home, other ports; it knows the repository and its password."""
    with machine(
        user="eva",
        backup_repository=Repository(backed_up.settings).location,
        backup_password_file=backed_up.home / "secrets" / "backup_password",
    ) as found:
        yield found


def test_a_restore_killed_midway_is_repeated_and_answers_as_the_first_did(backed_up: Machine, second: Machine) -> None:
    """Databases, bucket, accounts, ledger; and its own MLflow and service give the same answers."""
    _kill_at(second, "objects")
    again = second.sirena("restore")
    assert again.returncode == 0, again.stderr
    assert "settings" in again.stdout
    second.up("mlflow", "service")
    assert answers(second).columns == answers(backed_up).columns
    with second.databases() as databases, backed_up.databases() as former:
        names = {row[0] for row in databases.ask("postgres", "SELECT datname FROM pg_database")}
        assert names == {"postgres", "template0", "template1", "mlflow", "sirena"}
        assert databases.rows("mlflow")["model_versions"] == former.rows("mlflow")["model_versions"]
    assert "marta" in second.sirena("user", "list").stdout
    assert _objects(second) == _objects(backed_up)
    found = verify(open_ledger(second.prepared))
    assert found.intact
    (restored,) = open_ledger(second.prepared).read(events=["restore"], last=1)
    assert restored.facts()["drill"] is False


def _kill_at(machine: Machine, step: str) -> None:
    with machine.begin("restore") as process:
        assert process.stderr is not None
        told = []
        for line in process.stderr:
            told.append(line)
            if line.startswith(step):
                break
        else:
            pytest.fail("".join(told))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _objects(machine: Machine) -> dict[str, str]:
    client = s3_client(machine.prepared, machine.stack.s3_endpoint)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=machine.settings.s3_bucket)
    return {item["Key"]: item["ETag"] for page in pages for item in page["Contents"]}


def test_its_passwords_are_its_own(backed_up: Machine, second: Machine) -> None:
    """Nothing secret of the first machine works on the second."""
    for file in sorted((second.home / "secrets").iterdir()):
        assert file.read_text() != (backed_up.home / "secrets" / file.name).read_text()


def test_a_machine_that_runs_or_is_not_empty_is_left_alone(second: Machine) -> None:
    """Refused as wrong use, with what is there; the running parts go on."""
    running = second.sirena("restore")
    assert running.returncode == 2
    assert "`sirena down` first" in running.stderr
    assert second.stack.supervisor.states()["service"].running
    assert second.sirena("user", "add", "later", "--role", "viewer", "--no-password").returncode == 0
    assert second.sirena("down").returncode == 0
    full = second.sirena("restore")
    assert full.returncode == 2, full.stderr
    assert "2 rows in access_accounts" in full.stderr
    assert "--replace" in full.stderr
    noted = read_backup_state(second.settings).restore
    assert noted is not None
    assert (noted.outcome, noted.succeeded is not None) == (RunOutcome.FAILED, True)


def test_replacing_goes_back_in_time_and_the_ledger_says_what_was_lost(second: Machine) -> None:
    """What was done since is gone, and on record as lost; the former databases are kept aside."""
    snapshot = Repository(second.settings).find("")
    done = second.sirena("restore", "--replace", "--at", snapshot.id)
    assert done.returncode == 0, done.stderr
    second.up()
    assert "later" not in second.sirena("user", "list").stdout
    with second.databases() as databases:
        kept = {row[0] for row in databases.ask("sirena_before_restore", "SELECT name FROM access_accounts")}
    assert kept == {"marta", "later"}
    ledger = open_ledger(second.prepared)
    assert verify(ledger).intact
    assert [entry.event for entry in ledger.read(last=2)] == ["ledger_resumed", "restore"]


def test_what_is_registered_meanwhile_leaves_no_backup_torn(backed_up: Machine, capfd: Capture) -> None:
    """Releases are made one after another while a backup runs; the drill finds files for every row."""
    over = threading.Event()
    made: list[str] = []

    def register() -> None:
        while not over.is_set():
            made.append(make_release(backed_up.prepared, susceptible_to=2.0 ** -len(made))[1].name)

    thread = threading.Thread(target=register)
    thread.start()
    try:
        while not made:
            time.sleep(0.05)
        backup = run_command(capfd, ["backup"])
    finally:
        over.set()
        thread.join()
    assert backup.code == 0, backup.errors
    assert len(made) > 1
    drill = run_command(capfd, ["drill"])
    assert drill.code == 0, drill.errors
