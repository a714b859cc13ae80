"""The whole stack while its parts are killed, its disk fills, and the clock jumps."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import psycopg
import pytest

from sirena.acts import promoting, releasing, training
from sirena.acts.gatekeeping import judge_for
from sirena.registry.connection import connect
from sirena.registry.releases import members_at
from sirena.registry.stages import promotions
from sirena.registry.versions import Stage, find_version
from sirena.server.production_stack import ProductionStack
from sirena.settings.catalogue import Settings, variable_of
from tests.fault_injection import DRUG, Caller, Fault, Report, Scientist, kill, suffer, table, watched
from tests.prepared_interpreter import run_prepared
from tests.prepared_stores import begin_prepared
from tests.production_machine import end_at_once, production_settings, require_programs

pytestmark = pytest.mark.slow

PATIENCE = 120.0
"""Seconds; a part that ends is started again within one, and MLflow needs thirty on a busy machine."""
DISK_MIB = 1600
SHIFTED = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


@dataclass
class Machine:
    """A stack under load on a disk of its own."""

    stack: ProductionStack
    caller: Caller
    scientist: Scientist
    environment: dict[str, str]
    reports: list[Report] = field(default_factory=list)

    def sirena(self, *arguments: str) -> str:
        """Run a command of ours."""
        ended = run_prepared([sys.executable, "-m", "sirena.cli", *arguments], env=self.environment, timeout=300)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    def suffers(self, fault: Fault) -> Report:
        """Let a fault happen while both work, and hold what must hold whatever the fault."""
        with watched(self.caller, self.scientist):
            report = suffer(fault, self.stack, self.caller, self.scientist, patience=PATIENCE)
        self.reports.append(report)
        assert not self.caller.wrong
        assert not self.scientist.unclear
        if not fault.in_the_way:
            assert report.lost == 0
        return report


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of its own, so that filling it hurts nobody else; an ordinary folder where none can be mounted."""
    folder = Path("/var/tmp") / f"sirena-faults-{os.getpid()}"
    folder.mkdir(mode=0o755)
    options = ["-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=755", "tmpfs"]
    mounted = subprocess.run(["mount", *options, folder], capture_output=True, check=False).returncode == 0
    try:
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)
        else:
            subprocess.run(["rm", "-rf", folder], check=True)
        folder.rmdir() if folder.exists() else None


@pytest.fixture(scope="module")
def machine(disk: Path) -> Iterator[Machine]:
    """Bring a stack up with one model in production, and let it answer."""
    require_programs("nginx", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph")
    settings = production_settings(disk / "home", poll_seconds=1)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AWS_"))}
    for name in settings.model_fields_set - {"profile"}:
        if getattr(settings, name) not in (None, ""):
            environment[variable_of(name)] = str(getattr(settings, name))
    stack = ProductionStack(settings)
    begin_prepared(settings)
    try:
        found = Machine(stack, Caller(settings, ""), Scientist(settings), environment)
        found.sirena("up", "--profile", "production")
        # what is there now: the databases' passwords are part of the settings
        ours = Settings(**{**settings.model_dump(exclude={"database_url"}), "user": "eva"})
        ours = ours.model_copy(update={"tracking_uri": settings.own_mlflow_url})
        found.scientist.settings = ours
        found.sirena("user", "add", "clara", "--role", "clinician", "--no-password")
        found.caller.token = found.sirena("token", "create", "--user", "clara")
        registry = connect(ours)
        [outcome] = training.train(registry, found.scientist.plan(0), lambda *_: None)
        judge = judge_for(registry, None)
        for stage in (Stage.STAGING, Stage.PRODUCTION):
            promoting.promote(judge, find_version(registry, str(outcome.version)), stage)
        release = releasing.create_release(registry, members_at(registry, "production"), author="ana")
        releasing.activate(registry, release, judge)
        found.caller.wait_for_first(PATIENCE)
        yield found
        print("\n" + table(found.reports))
    finally:
        end_at_once(stack)


@pytest.mark.parametrize(
    ("part", "in_the_way"),
    [
        ("mlflow", False), ("s3", False), ("ceph-store", False), ("ceph-monitor", False),
        ("pages", False), ("postgresql", True), ("service", True), ("access", True), ("entry", True),
    ],
)  # fmt: skip
def test_killed_outright_a_part_comes_back_and_nothing_is_lost(machine: Machine, part: str, in_the_way: bool) -> None:
    """Answers go on where the part is not in the way, and all heals without hands."""
    machine.suffers(Fault(f"kill -9 {part}", lambda: kill(machine.stack, part), in_the_way=in_the_way))


def test_answers_go_on_while_the_object_store_hangs_or_refuses(machine: Machine) -> None:
    """Stopped, it accepts and never answers; with its user suspended, it says no to everything."""

    def gateway(number: signal.Signals) -> None:
        os.kill(machine.stack.supervisor.states()["s3"].process_id, number)

    def user(does: str) -> None:
        configuration = machine.stack.settings.home / "ceph" / "ceph.conf"
        command = ["radosgw-admin", "-c", str(configuration), "user", does, "--uid", "sirena"]
        subprocess.run(command, check=True, capture_output=True)

    machine.suffers(Fault("S3 hangs", lambda: gateway(signal.SIGSTOP), lambda: gateway(signal.SIGCONT), lasts=5))
    machine.suffers(Fault("S3 refuses", lambda: user("suspend"), lambda: user("enable"), lasts=5))


def test_a_database_out_of_connections_is_told_and_heals(machine: Machine) -> None:
    """Somebody else takes every connection there is."""
    settings = machine.stack.settings
    where = f"host=127.0.0.1 port={settings.postgres_port} dbname=sirena user=sirena passfile={settings.password_file}"
    taken: list[psycopg.Connection] = []

    def take() -> None:
        while True:
            try:
                taken.append(psycopg.connect(where))
            except psycopg.OperationalError:
                assert taken
                return

    def give_back() -> None:
        while taken:
            taken.pop().close()

    machine.suffers(Fault("no connection left", take, give_back, lasts=3, in_the_way=True))


def test_a_full_disk_is_told_and_nothing_is_damaged(machine: Machine, disk: Path) -> None:
    """Not a byte is left for fifteen seconds; answers go on, registering is refused, then all is as before."""
    if not os.path.ismount(disk):
        pytest.skip("needs the right to mount a file system of its own")
    filler = disk / "filler"

    def fill() -> None:
        with filler.open("wb", buffering=0) as stream:
            for size in (2**20, 2**12):
                try:
                    while True:
                        stream.write(b"\0" * size)
                except OSError:
                    continue

    report = machine.suffers(Fault("disk full", fill, filler.unlink, lasts=15, in_the_way=True))
    assert report.answered > 0


def test_a_clock_that_jumps_hurts_nobody(machine: Machine) -> None:
    """Two hours ahead and two hours back, under the service and the access service: tokens hold, answers go on."""
    if not Path(SHIFTED).exists():
        pytest.skip("needs libfaketime")
    shift = machine.stack.settings.home / "shift"
    shift.write_text("+0\n")
    shift.chmod(0o644)
    faked = {"LD_PRELOAD": SHIFTED, "FAKETIME_TIMESTAMP_FILE": str(shift), "FAKETIME_NO_CACHE": "1",
             "FAKETIME_DONT_FAKE_MONOTONIC": "1"}  # fmt: skip
    supervisor = machine.stack.supervisor
    parts = [
        replace(part, environment={**part.environment, **faked}) if part.name in ("service", "access") else part
        for part in machine.stack.parts()
    ]
    supervisor.write(parts)
    supervisor.start()
    machine.stack.wait(parts, lambda _: None)
    for jump in ("+2h", "-2h"):
        machine.suffers(Fault(f"clock jumps {jump}", partial(_set, shift, jump), partial(_set, shift, "+0"), lasts=4))


def _set(shift: Path, jump: str) -> None:
    beside = shift.with_suffix(".new")
    beside.write_text(jump + "\n")
    beside.replace(shift)


def test_after_it_all_nothing_registered_is_lost_and_no_promotion_is_half_done(machine: Machine) -> None:
    """Every acknowledged version is there, unchanged; alias, stage and record agree; the ledger's chain is whole."""
    registry = connect(machine.scientist.settings)
    assert len(machine.scientist.registered) >= len(machine.reports) > 0
    assert machine.scientist.lost(registry) == []
    last = find_version(registry, machine.scientist.promoted[-1])
    for name in set(machine.scientist.promoted):
        version = find_version(registry, name)
        [*_, decided] = promotions(version)
        assert (decided.stage, decided.by) == (Stage.STAGING.value, "eva")
        stands = version.version == last.version
        assert (version.stage is Stage.STAGING, version.stage_field == Stage.STAGING.value) == (stands, stands)
    assert f"modelo_{DRUG}_NM" in last.name
    assert "intact" in machine.sirena("audit", "verify")
    assert "panel_SIR/1" in machine.sirena("audit", "served")
