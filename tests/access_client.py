"""A client of the access service that asks as NGINX does: of a service in this process, or of a server."""

import base64
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import httpx2 as httpx
import uvicorn
from sqlalchemy import Engine
from starlette.testclient import TestClient

from sirena.access.events import Notify, tell_nobody
from sirena.access.policy import load_policy
from sirena.access.rules_form import RulesStore
from sirena.access.service import AccessParts, create_access_app
from sirena.access.tokens import Tokens
from sirena.access.upstream import Upstream
from sirena.domain.errors import SirenaError
from sirena.ledger.event import Event
from sirena.serving.server import bind, bind_path, url_of

HOST = "sirena.hospital.example:5000"
PASSWORD = "correct horse battery"


class Entry:
    """Stands for NGINX: asks the access service about each request."""

    client: httpx.Client
    """What it asks with."""

    def __init__(self, engine: Engine) -> None:
        """Make a client of an access service on this database of accounts."""
        self.engine = engine
        self.events: list[Event] = []
        self.records = True
        """False while the ledger cannot be written."""
        self.ledger: Notify = tell_nobody
        """Where events go besides."""
        self.passed = 0.0
        """Seconds that have passed for a service that answers within this process; nobody waits for them."""

    def ask(self, method: str, uri: str, **headers: str) -> httpx.Response:
        """Ask for the decision on a request; underscores in header names stand for hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        subject = {
            "X-Original-Method": method,
            "X-Original-URI": uri,
            "X-Forwarded-Host": HOST,
            "X-Real-IP": "192.0.2.7",
        }
        return self.client.get("/decide", headers=subject | sent)

    def token(self, account: str, **options: Any) -> str:
        """Make a token for an account, and return the value of its Authorization header."""
        return f"Bearer {Tokens(self.engine).create(account, **options)[1]}"

    def record(self, event: Event) -> None:
        """Record an event as the ledger would."""
        if not self.records:
            raise SirenaError("the ledger cannot be written")
        self.ledger(event)
        self.events.append(event)

    def told(self, name: str) -> list[Mapping[str, Any]]:
        """Return the facts of the recorded events with a name."""
        return [asdict(event) for event in self.events if event.event == name]


def basic(name: str, password: str) -> str:
    """Return the value of an Authorization header with a name and a password."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@contextmanager
def answering_entry(
    engine: Engine, *, rules: RulesStore | None = None, passing: Callable[[], float] | None = None
) -> Iterator[Entry]:
    """Run the access service within this process during the block, without a server.

    Args:
        engine: database of the accounts.
        rules: store of the hospital's own rules.
        passing: clock by which remembered facts age; the yielded client's `passed` by default.
    """
    entry = Entry(engine)
    aging = passing or (lambda: entry.passed)
    parts = AccessParts(engine, load_policy(), notify=entry.record, rules=rules, monotonic_clock=aging)
    with TestClient(
        create_access_app(parts), "http://access", raise_server_exceptions=False, follow_redirects=False
    ) as client:
        # by its own types a client of httpx2, which is httpx by another name
        entry.client = cast("httpx.Client", client)
        yield entry


@contextmanager
def running_entry(engine: Engine, upstream: Upstream, *, path: Path | None) -> Iterator[Entry]:
    """Run the access service as a server during the block, on a free port or at the path of a socket."""
    bound = bind_path(path) if path else bind("127.0.0.1", 0)
    transport = httpx.HTTPTransport(uds=str(path)) if path else None
    url = "http://access" if path else url_of(bound)
    entry = Entry(engine)
    with httpx.Client(base_url=url, timeout=60, trust_env=False, transport=transport) as entry.client:
        parts = AccessParts(engine, load_policy(), notify=entry.record, upstream=upstream)
        server = uvicorn.Server(uvicorn.Config(create_access_app(parts), log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            end = time.monotonic() + 60
            while not server.started:
                assert time.monotonic() < end, "the service did not start"
                time.sleep(0.005)
            yield entry
        finally:
            server.should_exit = True
            thread.join()
            bound.close()
