"""The service that answers isolates, in this process without a server, or as a server on a loopback port."""

import io
import threading
from collections.abc import Iterator
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
from tests.waiting import wait_until


class Given:
    """A source whose `panel` and `shadow` the test assigns; it fails while `panel` is None."""

    def __init__(self, panel: Panel | None, shadow: Panel | None = None) -> None:
        """Set the panel, and the shadow."""
        self.panel = panel
        self.shadow = shadow
        self.alarms: tuple[SourceAlarm, ...] = ()

    @property
    def shadow_mark(self) -> str | None:
        """Mark of the shadow: the name of its release."""
        return self.shadow.release if self.shadow else None

    def load_shadow(self) -> Panel:
        """Return the shadow."""
        assert self.shadow is not None
        return self.shadow

    def has_news(self) -> bool:
        """Return False, so that only the regular poll finds what the test assigned."""
        return False

    def fetch(self, known_mark: str | None) -> MarkedPanel | None:
        """Return the panel; None if it is the known one."""
        if self.panel is None:
            raise SirenaError("nothing to give")
        return None if known_mark == self.panel.release else MarkedPanel(self.panel, self.panel.release)


@dataclass(frozen=True)
class RunningService:
    """A running service, and ways to observe it."""

    client: httpx.Client
    log: io.StringIO
    holder: PanelHolder
    source: Given


@dataclass(frozen=True)
class ServiceOnPort(RunningService):
    """A running service that is a server on a port."""

    server: uvicorn.Server


@contextmanager
def running_service(*, loaded: bool = True) -> Iterator[ServiceOnPort]:
    """Run a service as a server on a free loopback port during the block.

    Args:
        loaded: whether the source has the small panel from the start.
    """
    log, source = io.StringIO(), Given(small_panel() if loaded else None)
    app = create_app(source, max_body=100_000, poll_seconds=3600, log=ServiceLog(log))
    bound = bind("127.0.0.1", 0)
    server = uvicorn.Server(configuration(app, app.protocol))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        wait_until(lambda: server.started and (not loaded or app.state.holder.loaded_panel is not None))
        with httpx.Client(base_url=url_of(bound), timeout=60) as client:
            yield ServiceOnPort(client, log, app.state.holder, source, server)
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


@contextmanager
def service(*, loaded: bool = True, max_body: int = 100_000, shadow: Panel | None = None) -> Iterator[RunningService]:
    """Run a service within this process during the block.

    Args:
        loaded: whether the source has the small panel from the start.
        max_body: largest body that the service reads, in bytes.
        shadow: panel that is the shadow from the start.
    """
    log = io.StringIO()
    source = Given(small_panel() if loaded else None, shadow)
    app = create_app(source, max_body=max_body, poll_seconds=3600, log=ServiceLog(log))
    holder: PanelHolder = app.state.holder
    with TestClient(app, "http://service", raise_server_exceptions=False, follow_redirects=False) as client:
        wait_until(lambda: not loaded or holder.loaded_panel is not None)
        wait_until(lambda: shadow is None or client.get("/shadow").json()["shadow"] is not None)
        # by its own types a client of httpx2, which is httpx by another name
        yield RunningService(cast("httpx.Client", client), log, holder, source)
