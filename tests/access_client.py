"""The access service, asked as NGINX asks it: within this process, or as a server of its own."""

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
from sirena.access.rules_form import RulesBook
from sirena.access.service import AccessParts, create_access_app
from sirena.access.tokens import Tokens
from sirena.access.upstream import Upstream
from sirena.domain.errors import SirenaError
from sirena.ledger.event import Event
from sirena.serving.server import bind, bind_path, url_of

HOST = "sirena.hospital.example:5000"
PASSWORD = "correct horse battery"


class Entry:
    """What NGINX does: asks about each request."""

    client: httpx.Client
    """What it asks with."""

    def __init__(self, engine: Engine) -> None:
        """Ask a service of this database."""
        self.engine = engine
        self.events: list[Event] = []
        self.records = True
        """False while the ledger cannot be written."""
        self.ledger: Notify = tell_nobody
        """Where events go besides."""
        self.passed = 0.0
        """Seconds that have passed for a service that answers within this process; nobody waits for them."""

    def ask(self, method: str, uri: str, **headers: str) -> httpx.Response:
        """Ask for a decision; underscores in header names stand for hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        subject = {
            "X-Original-Method": method,
            "X-Original-URI": uri,
            "X-Forwarded-Host": HOST,
            "X-Real-IP": "192.0.2.7",
        }
        return self.client.get("/decide", headers=subject | sent)

    def token(self, account: str, **options: Any) -> str:
        """Return the header of a fresh token."""
        return f"Bearer {Tokens(self.engine).create(account, **options)[1]}"

    def record(self, event: Event) -> None:
        """Be the ledger."""
        if not self.records:
            raise SirenaError("the ledger cannot be written")
        self.ledger(event)
        self.events.append(event)

    def told(self, name: str) -> list[Mapping[str, Any]]:
        """Return the facts of the events that were recorded under a name."""
        return [asdict(event) for event in self.events if event.event == name]


def basic(name: str, password: str) -> str:
    """Return the header of basic authentication."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@contextmanager
def answering_entry(
    engine: Engine, *, rules: RulesBook | None = None, passing: Callable[[], float] | None = None
) -> Iterator[Entry]:
    """Have the service answer within this process for the length of a block, without a server.

    Args:
        engine: of the accounts.
        rules: what keeps the hospital's own rules.
        passing: by what its memory ages; by the `passed` of what is yielded, when left out.
    """
    entry = Entry(engine)
    aging = passing or (lambda: entry.passed)
    parts = AccessParts(engine, load_policy(), notify=entry.record, rules=rules, passing=aging)
    with TestClient(
        create_access_app(parts), "http://access", raise_server_exceptions=False, follow_redirects=False
    ) as client:
        # by its own types a client of httpx2, which is httpx by another name
        entry.client = cast("httpx.Client", client)
        yield entry


@contextmanager
def running_entry(engine: Engine, upstream: Upstream, *, path: Path | None) -> Iterator[Entry]:
    """Run the service for the length of a block, on a free port or at the path of a socket."""
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
