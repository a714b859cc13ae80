"""A guarded house: NGINX and the access service on PostgreSQL with the ledger, in front of the pages and MLflow."""

import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from sqlalchemy import Engine

import sirena
from sirena.access.accounts import Accounts
from sirena.access.actions import Role
from sirena.access.routes import body_route_locations
from sirena.access.store import open_store
from sirena.access.tokens import Tokens
from sirena.ledger.entry import LedgerEntry as LedgerEntry
from sirena.ledger.store import Ledger, open_ledger
from sirena.server.entry.nginx import NginxEntry
from sirena.server.entry.reload import take_up
from sirena.server.parts.connections import PartConnections
from sirena.server.parts.part import HttpHealth, Part
from sirena.server.parts.processes import ChildProcess, free_port
from sirena.server.production_stack import ProductionStack
from sirena.server.tls.certificates import authority_file
from sirena.settings.catalogue import Settings
from tests.hostile_client import HostileClient
from tests.mlflow_tls_listener import mlflow_tls_listener
from tests.postgresql import private_cluster
from tests.prepared_interpreter import run_prepared
from tests.prepared_servers import PreparedChild, mlflow_server
from tests.production_machine import end_at_once, entry_of, private_home, production_settings, require_programs

PASSWORD = "correct horse battery staple"
PATIENCE = 60.0
API = "/api/2.0/mlflow"


def ask_mlflow(client: httpx.Client, route: str, **body: object) -> dict[str, dict[str, dict[str, str]]]:
    """Send a request to MLflow's API that must succeed, and return the answer."""
    answer = client.post(f"{API}/{route}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, dict[str, dict[str, str]]] = answer.json()
    return found


@dataclass
class House:
    """The running parts, and ways to observe them."""

    settings: Settings
    own: Settings
    """As the access service has them."""
    engine: Engine
    ledger: Ledger
    entry: NginxEntry
    environment: dict[str, str]
    access: ChildProcess
    pages: ChildProcess
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def client(self) -> HostileClient:
        """A hostile client of the NGINX entry."""
        return HostileClient(self.settings.https_port, authority_file(self.settings))

    def honest(self, who: str = "", address: str = "127.0.0.1") -> httpx.Client:
        """Return an ordinary HTTP client with a token of an account, from a loopback address."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}
        return httpx.Client(
            base_url=f"https://localhost:{self.settings.https_port}",
            transport=httpx.HTTPTransport(
                verify=ssl.create_default_context(cafile=str(authority_file(self.settings))), local_address=address
            ),
            headers=headers,
            timeout=60,
        )

    def seen_by_mlflow(self) -> list[str]:
        """Return the requests that reached MLflow, as lines of its log."""
        text = (self.settings.home / "logs" / "mlflow.log").read_text(errors="replace")
        return [line for line in text.splitlines() if "HTTP/1." in line]

    def entries(self, address: str) -> list[LedgerEntry]:
        """Return the ledger's events that came from an address."""
        return [one for one in self.ledger.read() if one.origin == address]

    def await_entry(self, address: str, fits: Callable[[LedgerEntry], bool]) -> LedgerEntry:
        """Wait until the ledger holds a matching event from an address, and return the event."""
        end = time.monotonic() + PATIENCE
        while True:
            found = self.entries(address)
            for one in found:
                if fits(one):
                    return one
            assert time.monotonic() < end, f"no such entry; from {address} there are {found}"
            time.sleep(0.2)

    def sirena(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a `sirena` command as the operator of this house."""
        command = [sys.executable, "-m", "sirena.cli", *arguments]
        return run_prepared(command, env={**os.environ, **self.environment}, timeout=300)

    @contextmanager
    def entry_with(self, **changes: Any) -> Iterator[None]:
        """Change settings of NGINX during the block; it reloads them as after `sirena up`."""
        try:
            self._take_up(self.settings.model_copy(update=changes))
            yield
        finally:
            self._take_up(self.settings)

    def _take_up(self, settings: Settings) -> None:
        entry = NginxEntry(settings, self.entry.certificate, self.entry.body_routes, self.entry.accounts)
        entry.write()
        take_up(entry, is_coming=lambda: True)

    def written(self) -> str:
        """Return the whole content of logs and ledger."""
        files = [*(self.settings.home / "logs").iterdir(), *self.entry.refusals.parent.iterdir()]
        logs = [file.read_text(errors="replace") for file in files if file.is_file()]
        return "\n".join([*logs, *(str(one) for one in self.ledger.read())])


@contextmanager
def guarded_house(**changes: Any) -> Iterator[House]:
    """Run NGINX, access service, pages and MLflow, with one account per role, which has a password and a token."""
    require_programs("nginx", "logrotate")
    with private_cluster() as cluster, private_home() as home, ExitStack() as running:
        cluster.execute("CREATE DATABASE sirena")
        url = cluster.url("sirena")
        settings = production_settings(home, **{"rate": 1000, "max_upload": 2**20, **changes})
        own = settings.model_copy(update={"home": home / "service", "database_url": SecretStr(url)})
        own.home.mkdir()
        ledger = open_ledger(own)
        ledger.create()
        engine = open_store(url)
        entry = entry_of(settings, body_route_locations())
        stack = ProductionStack(settings)
        entry.write()
        stack.supervisor.write([entry.part()])
        plain_port = free_port()
        environment = {
            "SIRENA_HOME": str(own.home),
            "SIRENA_DATABASE_URL": url,
            "SIRENA_PROFILE": "production",
            "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{plain_port}",
            "PYTHONPATH": os.pathsep.join([str(Path(sirena.__file__).parent.parent), *sys.path]),
        }
        access = access_service(settings, entry, environment)
        pages = pages_service(settings, environment)
        house = House(settings, own, engine, ledger, entry, environment, access, pages)
        _people(house)
        mlflow = mlflow_server(settings, plain_port)
        mlflow.launch()
        access.launch()
        pages.launch()
        try:
            running.enter_context(mlflow_tls_listener(settings, plain_port))
            stack.supervisor.start()
            parts: list[Part] = [entry.part()]
            stack.wait(parts, lambda _: None)
            access.await_health()
            pages.await_health()
            mlflow.await_health()
            yield house
        finally:
            end_at_once(stack)
            house.access.stop()
            house.pages.stop()
            mlflow.stop()
            engine.dispose()
            ledger.close()


def access_service(settings: Settings, entry: NginxEntry, environment: dict[str, str]) -> ChildProcess:
    """Return the description of the access service by which the stack runs it."""
    command = (
        sys.executable, "-m", "sirena.cli", "access-service",
        "--socket", str(PartConnections(settings).socket_of("access")), "--entry-log", str(entry.refusals),
        "--pages-desk", str(PartConnections(settings).pages_desk),
    )  # fmt: skip
    return PreparedChild(
        "the access service",
        command,
        health=HttpHealth(PartConnections(settings).of_part("access"), "/livez"),
        log=settings.home / "logs" / "access.log",
        environment=environment,
    )


def pages_service(settings: Settings, environment: dict[str, str]) -> ChildProcess:
    """Return the description of the pages' service by which the stack runs it."""
    connections = PartConnections(settings)
    command = (
        sys.executable, "-m", "sirena.cli", "pages-service",
        "--socket", str(connections.socket_of("pages")), "--desk", str(connections.pages_desk),
    )  # fmt: skip
    return PreparedChild(
        "the pages",
        command,
        health=HttpHealth(connections.of_part("pages"), "/livez"),
        log=settings.home / "logs" / "pages.log",
        environment={**environment, "SIRENA_HOME": str(settings.pages_home)},
    )


def _people(house: House) -> None:
    accounts, tokens = Accounts(house.engine), Tokens(house.engine)
    for role in Role:
        accounts.add(role.value, frozenset({role}), PASSWORD)
        house.tokens[role.value] = tokens.create(role.value)[1]
