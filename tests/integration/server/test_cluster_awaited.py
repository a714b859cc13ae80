"""A database that is busy for some seconds is awaited: no second one is started beside it."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from sirena.server.production_stack import ProductionStack
from tests.production_machine import private_home, production_settings

pytestmark = pytest.mark.slow


@pytest.fixture
def stack() -> Iterator[ProductionStack]:
    """PostgreSQL alone, kept by the supervisor."""
    with private_home() as home:
        stack = ProductionStack(production_settings(home))
        database = stack.database()
        database.prepare(lambda _: None)
        stack.supervisor.write([database.part()])
        stack.supervisor.start()
        try:
            stack.wait([database.part()], lambda _: None)
            yield stack
        finally:
            stack.take_down()


def test_one_look_that_fails_does_not_start_a_second_cluster(stack: ProductionStack) -> None:
    """Stopped as by a machine that has no time for it, asked meanwhile, and let go on."""
    database = stack.database()
    process_id = stack.supervisor.states()["postgresql"].process_id
    assert process_id
    done = threading.Event()

    def use() -> None:
        with database.answering():
            done.set()

    os.kill(process_id, signal.SIGSTOP)
    try:
        assert not database.part().health.is_well()
        using = threading.Thread(target=use)
        using.start()
        assert not done.wait(4)
    finally:
        os.kill(process_id, signal.SIGCONT)
    using.join(120)
    assert done.is_set()
    assert stack.supervisor.states()["postgresql"].process_id == process_id
    assert stack.is_well(database.part()), "a block that found it running leaves it running"
