"""Running the stack in the foreground, for containers: one process that stays, and stops all parts when it is ended.

In a container this is the first process. So it must reap ended grandchildren and handle SIGTERM by itself, and no
process of an earlier container can still be alive.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Never

from sirena.host.accounts import PreparationError
from sirena.host.one_at_a_time import one_at_a_time
from sirena.server.supervision.supervisor import Supervisor

_FIRST_PROCESS: Final = 1
_POLL_SECONDS: Final = 0.5
_SILENCE_SECONDS: Final = 30.0
_ENDINGS: Final = (signal.SIGTERM, signal.SIGINT)


class EndedOnRequest(SystemExit):
    """Raised when a signal asks this process to end; its exit code is 0."""


class AlreadyThereError(PreparationError):
    """Another process already runs the stack of the same `SIRENA_HOME` in the foreground."""

    code = "already_there"


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Lock `SIRENA_HOME` during a ``with`` block, so that no second container uses the same volume.

    Raises:
        AlreadyThereError: another container holds the lock.
    """

    def refuse() -> Never:
        raise AlreadyThereError(
            f"another `sirena run` holds {home}", hint="stop the other container first; two would spoil the data"
        ) from None

    home.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(home / "foreground.lock", refuse):
        yield


@contextmanager
def ended_by_signal() -> Iterator[None]:
    """Raise `EndedOnRequest` at the first SIGTERM or SIGINT during a ``with`` block; further signals are ignored."""

    def end(_number: int, _frame: object) -> Never:
        for number in _ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        raise EndedOnRequest(0)

    before = {number: signal.signal(number, end) for number in _ENDINGS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def forget_earlier_container(postgresql_data: Path) -> None:
    """Remove PostgreSQL's PID file if an earlier container, which was killed, left it.

    Process ids repeat from container to container, so the id may now be another program's, and PostgreSQL would
    refuse to start for ever. Only the first process of a container that has locked `SIRENA_HOME` knows that the file is
    out of date; any other process removes nothing.
    """
    if os.getpid() == _FIRST_PROCESS:
        (postgresql_data / "postmaster.pid").unlink(missing_ok=True)


def stay(supervisor: Supervisor, sleep: Callable[[float], None] = time.sleep) -> Never:
    """Wait until a signal ends this process, and meanwhile reap ended processes that have no other parent.

    Raises:
        PreparationError: the supervisor has not answered for half a minute; a container engine can then restart the
            container.
    """
    last_answer = time.monotonic()
    while True:
        _collect()
        if supervisor.is_running():
            last_answer = time.monotonic()
        elif time.monotonic() - last_answer > _SILENCE_SECONDS:
            raise PreparationError("the supervisor has ended", hint=f"read {supervisor.folder / 'supervisord.log'}")
        sleep(_POLL_SECONDS)


def _collect() -> None:
    if os.getpid() != _FIRST_PROCESS:
        return
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return
