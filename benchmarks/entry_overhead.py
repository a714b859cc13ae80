"""What the access decision adds to a request through NGINX: the shipped entry, compared with one without decision.

    PYTHONPATH=src python benchmarks/entry_overhead.py [--requests 10000]

Two NGINX with the shipped configuration over TLS, one connection each, are in front of the same service; the second
lacks the line `auth_request`. A token asks 41 models in turn, in blocks of 100 requests to one entry and
then the other, so that a busy machine slows both alike. Bound: 2 ms at the median. Then tokens in use are revoked and
used until they are refused. Bound: 2 s for the slowest.

Last, `wrk` asks for one isolate as often as it can through NGINX, TLS and the decision, through NGINX and TLS alone,
and the same service directly over HTTP, over 1, 8 and 64 kept connections; the three in turn, `--rounds` times for
`--seconds` each, and the median round counts. Bound: through NGINX, TLS and the decision half the rate of the direct
requests. On few cores all parts share them, so the processor time per request of each part is reported too.
"""

import argparse
import contextlib
import http.client
import os
import re
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from echo_serving import write_panel, write_requests
from processes import processor_seconds
from recording import record
from servers import serving

from sirena.access.accounts import Accounts
from sirena.access.actions import Role
from sirena.access.store import open_store
from sirena.access.tokens import Tokens
from sirena.server.entry import kept_decisions
from sirena.server.entry.nginx import NginxEntry
from sirena.server.parts.connection_certificates import prepare_connections
from sirena.server.parts.connections import PartConnections
from sirena.server.parts.part_accounts import PartAccounts
from sirena.server.parts.processes import free_port
from sirena.server.tls.certificates import authority_file, self_made
from sirena.settings.catalogue import Settings

BLOCK = 100
REVOCATIONS = 5
COLUMN = "AMK_NM"
BODY = '{"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": "<=2"}]}'
CONNECTIONS = (1, 8, 64)


def main() -> None:
    """Measure, and record the figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--requests", type=int, default=10_000)
    options.add_argument("--seconds", type=float, default=3.0, help="for each round of `wrk`")
    options.add_argument("--rounds", type=int, default=3, help="of each way over each number of connections")
    chosen = options.parse_args()
    count: int = chosen.requests
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install wrk")
    with contextlib.ExitStack() as running:
        home = Path(running.enter_context(tempfile.TemporaryDirectory(dir="/var/tmp")))
        home.chmod(0o755)
        settings = _settings(home)
        engine = open_store(f"sqlite:///{home}/access/sirena.db")
        running.callback(engine.dispose)
        Accounts(engine).add("lis", frozenset({Role.CLINICIAN}), None)
        tokens = Tokens(engine)
        _, secret = tokens.create("lis")
        asking, silent = _entries(settings)
        for entry in (asking, silent):
            running.callback(kept_decisions.remove, entry.decisions)
        sockets = {part: str(PartConnections(settings).socket_of(part)) for part in ("service", "access")}
        columns = write_panel(home / "panel.json")
        serve = [sys.executable, "-m", "sirena.cli", "serve", "--panel", str(home / "panel.json")]
        access_service = [sys.executable, "-m", "sirena.cli", "access-service", "--socket", sockets["access"]]
        service = running.enter_context(_started([*serve, "--socket", sockets["service"]]))
        access = running.enter_context(_started(access_service, SIRENA_HOME=str(home / "access")))
        nginx = [running.enter_context(_started(list(entry.command))) for entry in (asking, silent)]
        direct = running.enter_context(
            serving([*serve, "--port", "PORT"], "/readyz", {"SIRENA_HOME": str(home)}, home / "direct.log")
        )
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        connections = [_connect(entry.settings, authority_file(settings)) for entry in (asking, silent)]
        for connection in connections:
            _await_answer(connection, headers)
        # the first refusal opens the ledger, which is no part of what is measured
        _ask(connections[0], {"Authorization": "Bearer of-nothing"})
        took: list[list[float]] = [[], []]
        while len(took[1]) < count:
            for times, connection in zip(took, connections, strict=True):
                block = [columns[number % len(columns)] for number in range(len(times), len(times) + BLOCK)]
                times += [_ask(connection, headers, column)[1] for column in block]
        script = write_requests([BODY.encode()], home, "application/json")
        token = f"Authorization: Bearer {secret}"
        entries = [f"https://localhost:{entry.settings.https_port}/invocations" for entry in (asking, silent)]
        ways = {
            "nginx_tls_decision": (entries[0], {"nginx": nginx[0], "access": access, "service": service}),
            "nginx_tls": (entries[1], {"nginx": nginx[1], "service": service}),
            "direct": (f"http://127.0.0.1:{direct.port}/invocations", {"service": direct.pid}),
        }
        asked = {
            connections: _ask_in_turn(ways, script, token, connections, chosen.rounds, chosen.seconds)
            for connections in CONNECTIONS
        }
        connections[0].close()  # NGINX has ended it meanwhile; the next request opens another
        seconds = max(_until_refused(tokens, connections[0]) for _ in range(REVOCATIONS))
    decided, alone = map(_figures, took)
    shares = {
        way: {
            connections: round(100 * _rate(rounds, way) / _rate(rounds, "direct"))
            for connections, rounds in asked.items()
        }
        for way in ways
    }
    over = " / ".join(map(str, CONNECTIONS))
    added = round(decided["median_ms"] - alone["median_ms"], 3)
    record(
        "entry_overhead",
        {
            "requests": count,
            "with_decision": decided,
            "without": alone,
            "added_median_ms": added,
            "revocations": REVOCATIONS,
            "slowest_revocation_seconds": round(seconds, 2),
            "one_row": asked,
            "of_direct_percent": shares,
        },
        headline=f"the decision adds {added:g} ms at the median (p99 {decided['p99_ms']:g} ms beside "
        f"{alone['p99_ms']:g} ms); a revoked token is refused within {seconds:.1f} s, the slowest of {REVOCATIONS}; "
        f"one row over {over} connections, of the direct requests/s: through NGINX, TLS and the decision "
        f"{_list(shares['nginx_tls_decision'])} %, without the decision {_list(shares['nginx_tls'])} %",
    )


def _list(shares: dict[int, int]) -> str:
    return " / ".join(map(str, shares.values()))


def _rate(rounds: dict[str, dict[str, float]], way: str) -> float:
    return rounds[way]["requests_per_second"]


def _ask_in_turn(
    ways: dict[str, tuple[str, dict[str, int]]], script: Path, token: str, connections: int, rounds: int, seconds: float
) -> dict[str, dict[str, float]]:
    """Measure each way in turn, so that a busy machine slows all alike; return each way's round of median rate."""
    asked: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (address, parts) in ways.items():
            asked[way].append(_ask_much(address, parts, script, token, connections, seconds))
    return {
        way: sorted(figures, key=lambda one: one["requests_per_second"])[rounds // 2] for way, figures in asked.items()
    }


def _ask_much(
    address: str, parts: dict[str, int], script: Path, token: str, connections: int, seconds: float
) -> dict[str, float]:
    """Send requests for some seconds; return requests_per_second, and for each part processor milliseconds per request.

    Args:
        address: URL to request.
        parts: process by name; its children count with it.
        script: script that `wrk` runs.
        token: value of the Authorization header.
        connections: number of kept-alive connections.
        seconds: length of the measurement.
    """
    before = {part: _processor_seconds(pid) for part, pid in parts.items()}
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-H", token, "-s", str(script), address]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    total, rate = re.search(r"(\d+) requests in ", text), re.search(r"Requests/sec:\s+([\d.]+)", text)
    if total is None or rate is None or "Non-2xx" in text or not int(total[1]):
        raise RuntimeError(f"wrk says:\n{text}")
    used = {part: _processor_seconds(pid) - before[part] for part, pid in parts.items()}
    of_parts = {f"{part}_processor_ms": round(1000 * spent / int(total[1]), 4) for part, spent in used.items()}
    return {"requests_per_second": float(rate[1]), **of_parts}


def _processor_seconds(pid: int) -> float:
    """Return the processor time of a process and of its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(processor_seconds(process) for process in (pid, *map(int, children)))


def _until_refused(tokens: Tokens, connection: http.client.HTTPSConnection) -> float:
    """Use a token for a while, revoke it, and return the seconds until it is refused."""
    token, secret = tokens.create("lis")
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    while _ask(connection, headers)[0] != HTTPStatus.OK:
        time.sleep(0.01)
    tokens.revoke(token.id)
    revoked = time.perf_counter()
    while _ask(connection, headers)[0] == HTTPStatus.OK:
        time.sleep(0.01)
    return time.perf_counter() - revoked


def _settings(home: Path) -> Settings:
    public = free_port()
    return Settings(
        home=home,
        profile="production",
        listen="127.0.0.1",
        rate=1_000_000,
        port=public,
        https_port=public,
        http_port=free_port(),
        access_port=free_port(),
        mlflow_port=free_port(),
    )


def _entries(settings: Settings) -> tuple[NginxEntry, NginxEntry]:
    """Write both configurations: the shipped one, and on a port of its own one without decision."""
    certificate = self_made(settings)
    accounts = PartAccounts.of(settings).made(settings)
    prepare_connections(PartConnections(settings), accounts)
    asking = NginxEntry(settings, certificate, (), accounts)
    asking.write()
    port = free_port()
    other = settings.model_copy(
        update={"home": settings.home / "silent", "https_port": port, "port": port, "http_port": free_port()}
    )
    other.home.mkdir()
    PartConnections(other).folder.symlink_to(PartConnections(settings).folder)
    silent = NginxEntry(other, certificate, (), accounts)
    silent.write()
    configuration = silent.folder / "nginx.conf"
    text = configuration.read_text("utf-8")
    line = "        auth_request /.sirena/decide;\n"
    health = f"127.0.0.1:{settings.access_port + 1}"
    if line not in text or health not in text:
        raise SystemExit("the shipped configuration asks in other words: mend this benchmark")
    configuration.write_text(text.replace(line, "").replace(health, f"127.0.0.1:{free_port()}"), "utf-8")
    return asking, silent


@contextlib.contextmanager
def _started(command: list[str], **environment: str) -> Iterator[int]:
    if not shutil.which(command[0]):
        raise SystemExit(f"{command[0]} is missing")
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _connect(settings: Settings, authority: Path) -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=str(authority))
    return http.client.HTTPSConnection("localhost", settings.https_port, context=context, timeout=30)


def _await_answer(connection: http.client.HTTPSConnection, headers: dict[str, str]) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            if _ask(connection, headers)[0] == 200:
                return
        except OSError:
            connection.close()
        if time.monotonic() > end:
            raise SystemExit("the entry does not answer")
        time.sleep(0.2)


def _ask(connection: http.client.HTTPSConnection, headers: dict[str, str], column: str = COLUMN) -> tuple[int, float]:
    began = time.perf_counter()
    body = BODY.replace(COLUMN, column)
    connection.request("POST", f"/models/modelo_{column}/invocations", body=body, headers=headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status, 1000 * (time.perf_counter() - began)


def _figures(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "median_ms": round(statistics.median(ordered), 3),
        "p95_ms": round(ordered[int(0.95 * len(ordered))], 3),
        "p99_ms": round(ordered[int(0.99 * len(ordered))], 3),
        "longest_ms": round(ordered[-1], 1),
    }


if __name__ == "__main__":
    main()
