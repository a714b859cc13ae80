"""Two that start the same thing at the same moment do it one after the other."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sirena.host.environment import import_path
from sirena.host.one_at_a_time import one_at_a_time
from sirena.server.embedded_stack import EmbeddedStack
from sirena.settings.catalogue import Settings
from tests.production_machine import private_home

HOLDS = """
import sys, time
from pathlib import Path
from sirena.host.one_at_a_time import one_at_a_time
with one_at_a_time(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(300)
"""


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_second_one_waits_and_goes_on_when_the_first_is_killed(tmp_path: Path) -> None:
    """It is told that it waits; the lock of a process that died is nobody's."""
    lock = tmp_path / "lock"
    command = [sys.executable, "-c", HOLDS, str(lock)]
    entered, waits = threading.Event(), threading.Event()

    def enter() -> None:
        with one_at_a_time(lock, waits.set):
            entered.set()

    with subprocess.Popen(command, stdout=subprocess.PIPE, env={"PYTHONPATH": import_path()}) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        second = threading.Thread(target=enter)
        second.start()
        assert waits.wait(60)
        assert not entered.is_set()
        holder.send_signal(signal.SIGKILL)
        second.join(60)
    assert entered.is_set()
    assert lock.stat().st_mode & 0o077 == 0


def test_two_starts_at_once_are_one_after_the_other() -> None:
    """The second begins when the first has ended; what was started keeps no lock."""
    with private_home() as home:
        stack = EmbeddedStack(Settings(home=home))
        told: list[str] = []
        with one_at_a_time(home / "up.lock"):
            second = threading.Thread(target=lambda: stack.bring_up(told.append, []))
            second.start()
            _until(lambda: "another start is under way: waiting for it" in told)
            assert not stack.supervisor.is_running()
        try:
            second.join(120)
            assert stack.supervisor.is_running()
            stack.bring_up(told.append, [])
            assert told.count("another start is under way: waiting for it") == 1
        finally:
            stack.take_down()
