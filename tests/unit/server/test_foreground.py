"""`sirena run` ends in order when it is told to, and is alone on its home."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sirena.host.accounts import PreparationError
from sirena.server.parts.processes import free_port
from sirena.server.supervision.foreground import (
    AlreadyThereError,
    EndedOnRequest,
    alone,
    ended_by_signal,
    forget_earlier_container,
    stay,
)
from sirena.server.supervision.supervisor import Supervisor
from tests.production_machine import private_home


def test_a_second_one_on_the_same_home_is_refused(tmp_path: Path) -> None:
    """And may enter when the first has gone."""
    with alone(tmp_path), pytest.raises(AlreadyThereError, match="another"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_block_with_exit_code_0(number: signal.Signals) -> None:
    """Even as the first process of a container, where SIGTERM does nothing unless it is asked for."""
    before = signal.getsignal(number)
    with pytest.raises(EndedOnRequest) as ended, ended_by_signal():
        os.kill(os.getpid(), number)
    assert ended.value.code == 0
    assert signal.getsignal(number) is before


def test_a_supervisor_that_has_gone_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a container engine starts anew."""
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr("sirena.server.supervision.foreground.time.monotonic", lambda: next(clock))
    with pytest.raises(PreparationError, match="supervisor has ended"):
        stay(Supervisor(tmp_path), sleep=lambda _seconds: None)


def test_only_a_containers_first_process_removes_postgresqls_note(tmp_path: Path) -> None:
    """On a server the note may be of a PostgreSQL that runs."""
    note = tmp_path / "postmaster.pid"
    note.touch()
    forget_earlier_container(tmp_path)
    assert note.exists()


def test_the_embedded_stack_ends_on_sigterm() -> None:
    """While it still starts, too: exit code 0 and nothing left behind."""
    with private_home() as home:
        ports = {f"SIRENA_{name}": str(free_port()) for name in ("PORT", "MLFLOW_PORT")}
        environment = {**os.environ, "SIRENA_HOME": str(home), **ports}
        command = [sys.executable, "-m", "sirena.cli", "run", "--profile", "embedded"]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                deadline = time.monotonic() + 120
                while not Supervisor(home).is_running():
                    assert time.monotonic() < deadline
                    time.sleep(0.1)
                process.terminate()
                output, _ = process.communicate(timeout=120)
            finally:
                process.kill()
        assert process.returncode == 0, output
        assert output.endswith("everything has ended\n")
        assert not Supervisor(home).is_running()
