"""The parent of several workers by itself; see the end-to-end tests for all together."""

import errno
import io
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from sirena.serving.logs import ServiceLog
from sirena.serving.publishing import Publication, Standing
from sirena.serving.shadow_counts import ShadowState
from sirena.serving.totals import Totals
from sirena.serving.workers import WorkersPlan, _Parent


@pytest.fixture
def parent() -> Iterator[_Parent]:
    """A parent that has no children yet."""

    def make(*_: Any) -> Any:
        return None

    with socket.socket() as bound:
        parent = _Parent(WorkersPlan(2, bound, make, make, 1.0))
        yield parent
        for opened in (parent._woken, parent._waking, parent._selector):
            opened.close()


def test_a_process_that_cannot_be_started_is_tried_again(parent: _Parent, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent still hears signals, leaves no file open, and tells it with a line."""

    def refuse() -> NoReturn:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    printed = io.StringIO()
    parent._log = ServiceLog(printed)
    monkeypatch.setattr(os, "fork", refuse)
    before = set(Path("/proc/self/fd").iterdir())
    parent._start(1)
    assert set(Path("/proc/self/fd").iterdir()) == before
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert parent._starts.next_moment is not None
    assert '"child_not_started"' in printed.getvalue()


def test_what_ended_workers_counted_of_a_shadow_is_over_with_it(parent: _Parent) -> None:
    """The same pair of releases may come again, and is counted anew; another failure of the source changes nothing."""
    counted = ShadowState("new", "old", since=10.0, compared_requests=7)
    parent._publish(Publication.of(Standing(shadow_mark="new")))
    parent._ended = Totals(shadow=counted)
    parent._publish(Publication.of(Standing(shadow_mark="new", shadow_failure="its file is another")))
    assert parent._ended.shadow == counted
    parent._publish(Publication.of(Standing()))
    assert parent._ended.shadow == ShadowState()
