"""The parent of several workers where the kernel refuses; else see the end-to-end tests."""

import errno
import os
import signal
import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest

from sirena.serving.workers import WorkersPlan, _Parent


def test_a_process_that_cannot_be_started_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The parent still hears signals, leaves no file open, and tells it with a line."""

    def refuse() -> NoReturn:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def make(*_: Any) -> Any:
        return None

    with socket.socket() as bound:
        parent = _Parent(WorkersPlan(2, bound, make, make, 1.0))
        monkeypatch.setattr(os, "fork", refuse)
        before = set(Path("/proc/self/fd").iterdir())
        parent._start(1)
        assert set(Path("/proc/self/fd").iterdir()) == before
    for opened in (parent._woken, parent._waking, parent._selector):
        opened.close()
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert 1 in parent._missing
    assert '"child_not_started"' in capsys.readouterr().out
