"""What tests of the stack need on a machine: a home that accounts may enter, free ports, programs, a decision."""

import http.server
import os
import random
import shutil
import signal
import socket
import socketserver
import ssl
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import psutil

from sirena.host.accounts import OsAccount
from sirena.server.entry import kept_decisions
from sirena.server.entry.nginx import NginxEntry
from sirena.server.parts.connection_certificates import prepare_connections
from sirena.server.parts.connections import PartConnections
from sirena.server.parts.part_accounts import PartAccounts
from sirena.server.production_stack import ProductionStack
from sirena.server.stack import Stack
from sirena.server.tls.certificates import self_made
from sirena.settings.catalogue import Settings

PACKAGES = "postgresql nginx logrotate certbot pebble ceph-mon ceph-osd radosgw ceph-common"
_PORTS = 40
_HELD: deque[int] = deque()
"""Descriptors of the last port of each range given out lately, bound and never listened on."""
_HELD_AT_ONCE = 60


def require_programs(*names: str) -> None:
    """Fail, and say what to install, if the program of a real server is missing."""
    missing = [name for name in names if not shutil.which(name, path="/usr/bin:/usr/sbin:/usr/local/bin:/bin:/sbin")]
    assert not missing, f"{', '.join(missing)} missing: apt-get install --no-install-recommends {PACKAGES}"


@contextmanager
def private_home() -> Iterator[Path]:
    """Yield a folder that unprivileged accounts may enter, which they may not with pytest's folders."""
    home = Path(tempfile.mkdtemp(prefix="sirena-", dir="/var/tmp"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        for folder in (home, *home.iterdir()):
            kept_decisions.remove(kept_decisions.folder_of(folder))
        shutil.rmtree(home, ignore_errors=True)


def production_settings(home: Path, python: str = sys.executable, **changes: Any) -> Settings:
    """Return settings of a stack on free loopback ports, so that several stacks can run at once.

    Args:
        home: `SIRENA_HOME` of the stack.
        python: interpreter that will run `sirena up`.
        changes: settings that differ.
    """
    base = _free_range()
    names = ("http_port", "https_port", "port", "postgres_port", "s3_port", "mlflow_port")
    ports = {name: base + number for number, name in enumerate(names)}
    unprivileged = OsAccount.named("postgres").can_run(python)
    values: dict[str, Any] = {
        "profile": "production",
        "home": home,
        "listen": "127.0.0.1",
        **ports,
        "access_port": base + 10,
        "ceph_port": base + 20,
        "s3_size_gb": 2.0,
        # half a day away: no test meets the backup of the stack itself
        "backup_at": f"{datetime.now() + timedelta(hours=12):%H:%M}",
        # MLflow's client leaves its address in the environment of the process, whichever test connected last
        "tracking_uri": "",
        # an interpreter in root's home can be run by root alone
        "service_account": "" if unprivileged else "root",
        **changes,
    }
    return Settings(**values)


def entry_of(settings: Settings, body_routes: Sequence[str] = ()) -> NginxEntry:
    """Return the NGINX entry of a stack, with the accounts and TLS keys that `sirena up` would have made."""
    accounts = PartAccounts.of(settings).made(settings)
    prepare_connections(PartConnections(settings), accounts)
    return NginxEntry(settings, self_made(settings), tuple(body_routes), accounts)


@contextmanager
def entry_alone(body_routes: Sequence[str], **changes: Any) -> Iterator[Settings]:
    """Start NGINX with the shipped configuration and no other part; yield the stack's settings.

    Args:
        body_routes: locations whose body the access service judges.
        changes: as `production_settings`.
    """
    require_programs("nginx")
    with private_home() as home:
        settings = production_settings(home, **changes)
        stack = ProductionStack(settings)
        entry = entry_of(settings, body_routes)
        entry.write()
        stack.supervisor.write([entry.part()])
        stack.supervisor.start()
        try:
            stack.wait([entry.part()], lambda _: None)
            yield settings
        finally:
            end_at_once(stack)


def end_at_once(stack: Stack) -> None:
    """End all processes of a stack that no test needs any more, all at the same time.

    `Stack.take_down` stops the parts in order, which takes a dozen seconds.
    """
    supervisor = stack.supervisor.process_id()
    if supervisor is None:
        return
    database = stack.supervisor.states().get("postgresql")
    below = [supervisor]
    for process in below:
        if database is None or process != database.process_id:
            with suppress(psutil.NoSuchProcess):
                below += [child.pid for child in psutil.Process(process).children()]
    for process in below:
        at_once = database is None or process != database.process_id
        with suppress(ProcessLookupError):
            # killed outright, PostgreSQL would leave its shared memory behind
            os.kill(process, signal.SIGKILL if at_once else signal.SIGQUIT)
    while any(Path(f"/proc/{process}/exe").exists() for process in below):
        time.sleep(0.02)


def _free_range() -> int:
    """Return the first port of a free range that no test in another process is about to use.

    A stack binds its ports only after many seconds, and another worker must not get them meanwhile. So ranges do not
    overlap, and this process keeps the last port of each bound.
    """
    while True:
        base = random.randrange(20000, 32000, _PORTS)
        held = socket.socket()
        try:
            held.bind(("127.0.0.1", base + _PORTS - 1))
            for port in range(base, base + _PORTS - 1):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            held.close()
            continue
        _HELD.append(held.detach())
        if len(_HELD) > _HELD_AT_ONCE:
            os.close(_HELD.popleft())
        return base


def accepts(port: int) -> bool:
    """Tell whether a loopback port accepts connections now."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=3):
            return True
    except OSError:
        return False


@contextmanager
def closed_port() -> Iterator[int]:
    """Yield a port on which no process can listen during the block."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


class Recorder:
    """A small HTTP server in place of a part of the stack, behind that part's TLS, which records its requests."""

    def __init__(self, settings: Settings, part: str) -> None:
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                recorder.asked.append((self.command, self.path, headers))
                self.rfile.read(int(headers.get("content-length", "0")))
                status, extra = recorder.decide(headers)
                self.send_response(status)
                for name, value in extra.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                # a kept connection would outlive the server, and answer for the next test's
                self.send_header("Connection", "close")
                self.end_headers()

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = _tls_or_socket_server(settings, part, Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def decide(self, headers: dict[str, str]) -> tuple[int, dict[str, str]]:  # noqa: ARG002 - for subclasses
        """Return the status of the response: 200; subclasses decide otherwise."""
        return 200, {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _SocketServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 64


def _tls_or_socket_server(settings: Settings, part: str, handler: type[http.server.BaseHTTPRequestHandler]) -> Any:
    connections = PartConnections(settings)
    if part == "mlflow":
        server = http.server.ThreadingHTTPServer(("127.0.0.1", settings.mlflow_port), handler)
        server.socket = mlflow_context(settings).wrap_socket(server.socket, server_side=True)
        return server
    path = connections.socket_of(part)
    path.unlink(missing_ok=True)
    made = _SocketServer(str(path), handler)
    path.chmod(0o666)
    return made


def mlflow_context(settings: Settings) -> ssl.SSLContext:
    """Return the TLS context with which MLflow serves, and which demands a client's certificate."""
    connections = PartConnections(settings)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(connections.authority))
    context.load_cert_chain(str(connections.mlflow_server))
    context.verify_mode = ssl.CERT_REQUIRED
    return context


class Decision(Recorder):
    """An access service that allows one token, refuses another, and knows no other credential."""

    def decide(self, headers: dict[str, str]) -> tuple[int, dict[str, str]]:
        """Return status and headers of the decision."""
        match headers.get("authorization"):
            case "Bearer good":
                return 200, {"X-Sirena-User": "maria", "X-Sirena-Role": "scientist"}
            case "Bearer weak":
                return 403, {"X-Sirena-Reason": "forbidden"}
            case _:
                return 401, {"WWW-Authenticate": 'Basic realm="Sirena"', "X-Sirena-Reason": "not_signed_in"}
