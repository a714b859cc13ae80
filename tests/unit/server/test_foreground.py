"""`sirena run` ends in order when it is told to, and is alone on its home."""

import os
import signal
from pathlib import Path

import pytest

from sirena.host.accounts import PreparationError
from sirena.server.supervision.foreground import (
    AlreadyThereError,
    EndedOnRequest,
    alone,
    ended_by_signal,
    forget_earlier_container,
    stay,
)
from sirena.server.supervision.supervisor import Supervisor


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
