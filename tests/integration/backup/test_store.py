"""Sirena's own object store on a real machine: how full it is, how it grows, and what is collected from it.

The tests go from one to the next on the one machine of this folder, which every `sirena up` here lets as it is.
"""

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sirena.host.accounts import PreparationError
from sirena.ledger.store import open_ledger
from sirena.registry.connection import connect
from sirena.registry.models import log_model_version
from sirena.registry.versions import list_versions
from sirena.server.backup.errors import BackupError
from sirena.server.backup.manifest import FileFacts
from sirena.server.backup.room import Purpose, require_room
from sirena.server.backup.scratch_bucket import ScratchBucket
from sirena.server.checks.conditions import conditions
from sirena.server.checks.finding import Area, CheckFinding, CheckVerdict
from sirena.server.object_store import unfinished_uploads as uploads_module
from sirena.server.object_store.s3 import s3_client
from sirena.server.object_store.store_file import StoreFile
from sirena.server.object_store.store_room import ask_room
from sirena.server.object_store.unfinished_uploads import unfinished_uploads
from tests.command_line import run_command
from tests.integration.backup.conftest import answers
from tests.integration.backup.machines import Machine
from tests.integration.registry.registry_models import Trained, table
from tests.small_release import small_network

pytestmark = pytest.mark.slow

Capture = pytest.CaptureFixture[str]

GIB = 2**30
MIB = 2**20
PART = b"x" * 5 * MIB
OTHERS = ("postgresql", "ceph-monitor", "mlflow", "service")
"""Parts that growing does not touch."""


def _client(machine: Machine) -> Any:
    return s3_client(machine.prepared, machine.stack.s3_endpoint)


def _objects(machine: Machine, bucket: str = "sirena") -> dict[str, bytes]:
    client = _client(machine)
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def _told(machine: Machine) -> CheckFinding:
    return next(one for one in conditions(machine.settings) if one.name == "object store")


def _processes(machine: Machine) -> dict[str, int]:
    states = machine.stack.supervisor.states()
    return {name: states[name].process_id for name in states if states[name].running}


def _raised(machine: Machine, size: float) -> Machine:
    """Return the machine as its operator set another size."""
    return machine.with_(s3_size_gb=size)


def test_what_is_put_into_the_store_and_removed_shows_in_how_full_it_is(first: Machine) -> None:
    """The store itself is asked; 400 MiB are seen within seconds, beside its own tables, which take and give some."""
    before = ask_room(first.settings)
    assert before.total == 2 * GIB
    client = _client(first)
    client.create_bucket(Bucket="filling")
    keys = [str(number) for number in range(100)]
    for key in keys:
        # larger ones are removed in the background
        client.put_object(Bucket="filling", Key=key, Body=bytes(4 * MIB))
    full = _await_use(first, lambda used: used > before.used + 150 * MIB)
    told = _told(first)
    assert (told.verdict, " of 2.0 GiB in use (" in told.told) == (CheckVerdict.WELL, True)
    assert "object store" in first.sirena("status").stdout
    client.delete_objects(Bucket="filling", Delete={"Objects": [{"Key": key} for key in keys]})
    _await_use(first, lambda used: used < full - 250 * MIB)
    client.delete_bucket(Bucket="filling")


def _await_use(machine: Machine, reached: Callable[[int], bool]) -> int:
    deadline = time.monotonic() + 180
    while not reached(used := ask_room(machine.settings).used):
        assert time.monotonic() < deadline, used
        time.sleep(0.5)
    return used


def test_a_store_that_hangs_is_told_while_it_hangs(first: Machine) -> None:
    """Nothing waits until it goes on."""
    store = first.stack.supervisor.states()["ceph-store"].process_id
    os.kill(store, signal.SIGSTOP)
    try:
        assert _told(first) == CheckFinding(
            Area.STACK,
            "object store",
            CheckVerdict.WARNING,
            "cannot be asked: ceph-store does not answer",
            "sirena logs ceph-store",
        )
    finally:
        os.kill(store, signal.SIGCONT)


def test_a_growth_that_is_killed_is_done_by_the_next_up(first: Machine) -> None:
    """Ended outright with the file enlarged and bluestore not told; then larger, every byte there, answers as ever."""
    larger = _raised(first, 3.0)
    client = _client(first)
    client.create_bucket(Bucket="growing")
    for number in range(10):
        client.put_object(Bucket="growing", Key=f"{number}", Body=bytes([number]) * len(PART))
    before = _objects(first, "growing")
    kept = _objects(first)
    process = larger.begin("up")
    deadline = time.monotonic() + 240
    while StoreFile(first.settings).size != 3 * GIB:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert StoreFile(larger.settings).grows
    assert answers(first).release
    with pytest.raises(PreparationError, match="does not answer"):
        ask_room(first.settings)

    larger.up("mlflow", "service")
    assert not StoreFile(larger.settings).grows
    assert ask_room(first.settings).total == 3 * GIB
    assert _objects(first, "growing") == before
    assert _objects(first) == kept
    assert answers(first).release

    again = _processes(first)
    larger.up("mlflow", "service")
    assert _processes(first) == again


def test_a_store_that_shall_shrink_is_refused_and_goes_on(
    first: Machine, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By `settings check` and by `up`, with what it has and what to set; the same for more than the disk holds."""
    ran = _processes(first)
    for size, word in (("2", "it can grow, not shrink"), ("90000000", "GiB more, and the disk has")):
        monkeypatch.setenv("SIRENA_S3_SIZE_GB", size)
        for command in (["settings", "check"], ["up"]):
            refused = run_command(capfd, command)
            assert refused.code == 1
            said = refused.output + refused.errors
            assert word in said
            assert "SIRENA_S3_SIZE_GB=3" in said
    monkeypatch.setenv("SIRENA_S3_SIZE_GB", "3")
    assert run_command(capfd, ["settings", "check"]).code == 0
    assert _processes(first) == ran
    assert not StoreFile(_raised(first, 2.0).settings).grows


def test_a_growth_that_is_interrupted_leaves_the_store_running(first: Machine) -> None:
    """Ctrl-C in the middle: the parts that were ended for it come back as they were."""
    larger, before = _raised(first, 3.5), _objects(first, "growing")

    def interrupt(step: str) -> None:
        if step.startswith("S3 endpoint"):
            raise KeyboardInterrupt

    ran = _processes(first)
    with pytest.raises(KeyboardInterrupt):
        larger.stack.bring_up(interrupt)
    deadline = time.monotonic() + 180
    while set(_processes(first)) != set(ran):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    now = _processes(first)
    assert now["ceph-store"] != ran["ceph-store"]
    assert {name: now[name] for name in OTHERS} == {name: ran[name] for name in OTHERS}
    first.stack.wait([part for part in first.stack.parts() if part.name == "s3"], lambda _: None)
    assert _objects(first, "growing") == before
    assert ask_room(first.settings).total == 3 * GIB


def test_the_room_of_a_drill_is_what_the_store_has_free(first: Machine) -> None:
    """What lies in it already counts, and the remedy names the size to set; its own tables take and give some."""
    room = ask_room(first.settings)
    fits = int(0.8 * room.total) - room.used
    require_room(first.settings, {"one": FileFacts("", fits - 300 * MIB)}, Purpose.DRILL)
    with pytest.raises(BackupError, match="no room for them") as refused:
        require_room(first.settings, {"one": FileFacts("", fits + 300 * MIB)}, Purpose.DRILL)
    assert "set SIRENA_S3_SIZE_GB=4 or more and `sirena up`" in refused.value.hint
    with pytest.raises(BackupError) as refused:
        require_room(first.settings, {"one": FileFacts("", 2**50)}, Purpose.DRILL)
    assert refused.value.hint.startswith("give the disk ")


def _begin_upload(client: Any, bucket: str) -> None:
    begun = client.create_multipart_upload(Bucket=bucket, Key="large")["UploadId"]
    client.upload_part(Bucket=bucket, Key="large", UploadId=begun, PartNumber=1, Body=PART)
    assert [one.id for one in unfinished_uploads(client, bucket)] == [begun]


def test_a_drill_gives_up_the_uploads_of_a_killed_one(first: Machine) -> None:
    """Their parts go with the bucket; a bucket with somebody else's upload alone is left as it is."""
    client = _client(first)
    bucket = ScratchBucket(client, "sirena")
    client.create_bucket(Bucket=bucket.name)
    _begin_upload(client, bucket.name)
    with pytest.raises(BackupError, match="holds what no drill put there"):
        bucket.remove()
    assert len(list(unfinished_uploads(client, bucket.name))) == 1
    client.put_object(Bucket=bucket.name, Key=".sirena-drill", Body=b"")
    bucket.remove()
    client.create_bucket(Bucket=bucket.name)
    assert not list(unfinished_uploads(client, bucket.name))
    bucket.remove()


def test_gc_gives_up_uploads_that_are_a_day_old(
    first: Machine, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A young one is somebody's who is still sending."""
    client = _client(first)
    _begin_upload(client, "sirena")
    assert "nothing to collect" in run_command(capfd, ["gc", "--yes"]).output
    assert len(list(unfinished_uploads(client, "sirena"))) == 1
    monkeypatch.setattr(uploads_module, "DEAD_AFTER", timedelta(0))
    shown = run_command(capfd, ["gc"])
    assert "1 unfinished uploads" in shown.output, shown.errors
    assert len(list(unfinished_uploads(client, "sirena"))) == 1
    done = run_command(capfd, ["gc", "--yes"])
    assert "removed the parts of 1 unfinished uploads" in done.output, done.errors
    assert not list(unfinished_uploads(client, "sirena"))
    [*_, told] = open_ledger(first.prepared).read(events=["collected"])
    assert (told.outcome, told.facts()["uploads"]) == ("done", 1)


def test_gc_frees_the_bucket_of_what_nothing_needs_and_nothing_else(first: Machine) -> None:
    """PostgreSQL, MLflow and S3: shown first, then removed but for certificates; answers and a drill are as before."""
    registry = connect(first.prepared)
    report = {"seed": 7, "settings": {"epochs": 1}, "label_source": "reference", "data_sha256": "0" * 64}
    made = [
        log_model_version(
            registry,
            Trained("AMK_NM", small_network(), table("AMK_NM", susceptible_to=limit), report),
            certificate={"edition": "CLSI 2025"}, certificate_html="", author="ana",
        )
        for limit in (1.0, 2.0, 4.0)
    ]  # fmt: skip
    _let_all_be_old(first)
    versions = {str(one): one.version for one in list_versions(registry, "modelo_AMK_NM")}
    ask = registry.models.get_model_version
    sources = {name: str(ask("modelo_AMK_NM", str(number)).source) for name, number in versions.items()}
    before, answered = _objects(first), answers(first)

    shown = first.sirena("gc", "--newest", "1", "--days", "1")
    assert "nothing was removed" in shown.stdout, shown.stderr
    assert _objects(first) == before

    done = first.sirena("gc", "--newest", "1", "--days", "1", "--yes")
    assert "removed 2 versions and the files of 2 stored models" in done.stdout, done.stdout + done.stderr
    gone = [str(version) for version in made[:2]]
    assert {str(one) for one in list_versions(registry, "modelo_AMK_NM")} == set(versions) - set(gone)
    folders = [sources[name].removeprefix("models:/") for name in gone]
    after = _objects(first)
    removed = {key for key in before if any(folder in key for folder in folders)}
    assert {key: content for key, content in before.items() if key not in removed}.items() <= after.items()
    left = {Path(key).name for key in after if key in removed}
    assert left == {"certificate.json", "certificate.html"}
    assert len(removed) > 10
    assert "nothing to collect" in first.sirena("gc", "--newest", "1", "--days", "1", "--yes").stdout

    assert answers(first).columns == answered.columns
    assert first.sirena("backup").returncode == 0
    drill = first.sirena("drill")
    assert drill.returncode == 0, drill.stderr


def _let_all_be_old(machine: Machine) -> None:
    ago = 100 * 86_400_000
    with machine.databases() as databases, psycopg.connect(databases.url("postgres", "mlflow")) as connection:
        connection.execute("UPDATE model_versions SET creation_time = creation_time - %s", [ago])
        connection.execute("UPDATE logged_models SET creation_timestamp_ms = creation_timestamp_ms - %s", [ago])
