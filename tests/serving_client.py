"""The service that answers, asked within the test's process: without a server, or as one on a loopback port."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import httpx2 as httpx
import uvicorn
from starlette.testclient import TestClient

from sirena.domain.errors import SirenaError
from sirena.panel.compiled import Panel
from sirena.serving.alarms import SourceAlarm
from sirena.serving.application import create_app
from sirena.serving.holder import PanelHolder
from sirena.serving.logs import ServiceLog
from sirena.serving.server import bind, configuration, url_of
from sirena.serving.source import MarkedPanel
from tests.panels import small_panel


class Given:
    """A source that gives what the test assigns to `panel`, and fails while that is None."""

    def __init__(self, panel: Panel | None) -> None:
        """Give this panel."""
        self.panel = panel
        self.alarms: tuple[SourceAlarm, ...] = ()

    def has_news(self) -> bool:
        """Never: the poll finds what the test assigns."""
        return False

    def fetch(self, known: str | None) -> MarkedPanel | None:
        """Return the panel unless it is known."""
        if self.panel is None:
            raise SirenaError("nothing to give")
        return None if known == self.panel.release else MarkedPanel(self.panel, self.panel.release)


@dataclass(frozen=True)
class RunningService:
    """A service and the ways to look at it."""

    client: httpx.Client
    log: io.StringIO
    holder: PanelHolder
    source: Given


@dataclass(frozen=True)
class ServiceOnPort(RunningService):
    """The same, as a server."""

    server: uvicorn.Server


@contextmanager
def running_service(*, loaded: bool = True) -> Iterator[ServiceOnPort]:
    """Run a service as a server on a free loopback port for the length of a block.

    Args:
        loaded: whether its source gives the small panel from the start.
    """
    log, source = io.StringIO(), Given(small_panel() if loaded else None)
    app = create_app(source, max_body=100_000, poll_seconds=3600, log=ServiceLog(log))
    bound = bind("127.0.0.1", 0)
    server = uvicorn.Server(configuration(app, app.protocol))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        _await(lambda: server.started and (not loaded or app.state.holder.loaded is not None))
        with httpx.Client(base_url=url_of(bound), timeout=60) as client:
            yield ServiceOnPort(client, log, app.state.holder, source, server)
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


def _await(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end, "the service did not start"
        time.sleep(0.005)


@contextmanager
def service(*, loaded: bool = True, max_body: int = 100_000) -> Iterator[RunningService]:
    """Have a service answer within this process for the length of a block.

    Args:
        loaded: whether its source gives the small panel from the start.
        max_body: largest body it reads, in bytes.
    """
    log = io.StringIO()
    source = Given(small_panel() if loaded else None)
    app = create_app(source, max_body=max_body, poll_seconds=3600, log=ServiceLog(log))
    holder: PanelHolder = app.state.holder
    with TestClient(app, "http://service", raise_server_exceptions=False, follow_redirects=False) as client:
        _await(lambda: not loaded or holder.loaded is not None)
        # by its own types a client of httpx2, which is httpx by another name
        yield RunningService(cast("httpx.Client", client), log, holder, source)
