"""Where systemd holds the unit of a home, the supervisor is started through it, and through nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sirena.host.environment import import_path
from sirena.host.init_system import holds

SYSTEMD = Path("/lib/systemd/systemd")
PREPARED = """
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system "$XDG_RUNTIME_DIR"
"$SYSTEMD" --user &
exec "$PYTHON" -c "$DRIVER" "$XDG_RUNTIME_DIR"
"""
"""A place in which systemd believes that it is the init; everything in it ends with its first process.

The stack's home lies in it too: the unit sees no /tmp but its own.
"""
DRIVER = """
import subprocess, sys, time
from pathlib import Path
from sirena.host.accounts import OsAccount
from sirena.server.parts.part import Part, RunningHealth
from sirena.settings.catalogue import Settings
from sirena.server.supervision.supervisor import Supervisor
from sirena.server.supervision.systemd import write_units

folder = Path(sys.argv[1])
part = Part("worker", ("sleep", "99"), OsAccount.of_this_process(), RunningHealth(), "1")
mine, other = Supervisor(folder / "mine"), Supervisor(folder / "other")
write_units(Settings(home=folder / "mine"), folder / "units", timers=False)
(folder / "units/sirena.service.d").mkdir()
# what the manager of a user cannot give, whoever the user is
unlike = "[Service]\\nProtectKernelTunables=no\\nProtectKernelLogs=no\\n"
(folder / "units/sirena.service.d/unlike.conf").write_text(unlike)
deadline = time.monotonic() + 60
while subprocess.run(["systemctl", "daemon-reload"], capture_output=True).returncode and time.monotonic() < deadline:
    time.sleep(0.1)

def state():
    words = ["systemctl", "show", "--value", "--property=ActiveState", "--property=Result", "sirena.service"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()

def tell(when):
    print(when, *state())

for supervisor in (other, mine):
    supervisor.write([part])
    supervisor.start()
    tell(f"{supervisor.folder.parent.name} up:")
mine.start()
tell("again:")
mine.stop()
# the manager hears of it a little later
deadline = time.monotonic() + 60
while "inactive" not in state() and time.monotonic() < deadline:
    time.sleep(0.1)
tell("down:")
mine.await_answer()
mine.start()
tell("up:")
print("answers:", mine.is_running(), other.is_running())
mine.stop()
other.stop()
(folder / "units/sirena.service").unlink()
(folder / "units/sirena.service").symlink_to("/dev/null")
subprocess.run(["systemctl", "daemon-reload"], check=True)
mine.start()
print("masked:", mine.is_running())
mine.stop()
"""


def test_a_machine_without_systemd_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No question is put to a program that cannot answer, as in a container."""
    monkeypatch.setattr("sirena.host.init_system._IS_INIT", tmp_path / "none")
    assert not holds(tmp_path / "supervisord.conf")


@pytest.mark.skipif(os.getuid() != 0, reason="needs root: systemd gets a place of its own")
def test_systemd_starts_the_supervisor_of_its_unit_and_no_other(tmp_path: Path) -> None:
    """With the real systemd, as the manager of a user: up, up again, down, up; another home's stack is not its."""
    if not SYSTEMD.exists():
        pytest.skip("systemd is missing: apt-get install systemd")
    programs = tmp_path / "bin"
    programs.mkdir()
    systemctl = programs / "systemctl"
    systemctl.write_text(f'#!/bin/sh\nexec {shutil.which("systemctl")} --user "$@"\n', encoding="utf-8")
    systemctl.chmod(0o755)
    ended = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-ec", PREPARED],
        env={
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": import_path(),
            "XDG_RUNTIME_DIR": "/run/of-this-test",
            "SYSTEMD_UNIT_PATH": "/run/of-this-test/units:",
            "SYSTEMD": str(SYSTEMD),
            "PYTHON": sys.executable,
            "DRIVER": DRIVER,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.stdout.splitlines() == [
        "other up: success inactive",
        "mine up: success active",
        "again: success active",
        "down: success inactive",
        "up: success active",
        "answers: True True",
        "masked: True",
    ], ended.stderr
