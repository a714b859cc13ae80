"""Nothing outlives who started it: a killed `up` or supervisor leaves no daemon that keeps a port."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sirena.host.accounts import OsAccount
from sirena.host.environment import import_path
from sirena.server.parts.part import Part, RunningHealth
from sirena.server.production_stack import ProductionStack
from sirena.server.supervision.supervisor import Supervisor
from sirena.settings.catalogue import CertificateSource
from tests.production_machine import production_settings, require_programs

STARTS = """
import os, signal, sys
from pathlib import Path
from sirena.host.accounts import OsAccount
child = OsAccount.of_this_process().start(["sleep", "300"], Path(sys.argv[1]))
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def _is_gone(process_id: int) -> bool:
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_daemon_of_the_preparation_ends_when_up_is_killed(tmp_path: Path) -> None:
    """Whatever the moment: the kernel sees to it."""
    killed = subprocess.run(
        [sys.executable, "-c", STARTS, str(tmp_path / "log")],
        env={**os.environ, "PYTHONPATH": import_path()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    _await(lambda: _is_gone(int(killed.stdout)))


def test_the_parts_end_in_order_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    """Each by its own signal, so that a request under way is answered; the next start finds free ports."""
    code = (
        "import signal,sys,time; signal.signal(signal.SIGQUIT, lambda *_: (print('drained', flush=True), sys.exit(0)));"
        "print('ready', flush=True); time.sleep(300)"
    )
    part = Part(
        "worker",
        (sys.executable, "-c", code),
        OsAccount.of_this_process(),
        RunningHealth(),
        "1",
        stop_signal=signal.SIGQUIT,
    )
    supervisor = Supervisor(tmp_path)
    supervisor.write([part])
    supervisor.start()
    log = tmp_path / "logs" / "worker.log"
    _await(lambda: log.exists() and "ready" in log.read_text())
    worker = supervisor.states()["worker"].process_id
    os.kill(int((tmp_path / "supervisor" / "supervisord.pid").read_text()), signal.SIGKILL)
    _await(lambda: _is_gone(worker))


def test_the_watch_over_the_certificate_finds_our_package_in_a_checkout(tmp_path: Path) -> None:
    """In the environment the supervisor gives it, which is nearly empty."""
    require_programs("nginx", "radosgw")
    settings = production_settings(tmp_path, tls=CertificateSource.LETS_ENCRYPT, server_name="sirena.test")
    part = next(part for part in ProductionStack(settings).parts() if part.name == "certificate")
    command = [*part.command[:-1], "--help"]
    ended = subprocess.run(command, env=dict(part.environment), cwd="/", capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
