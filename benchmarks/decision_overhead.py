"""Time of one decision of the access service, asked as by NGINX: HTTP, one connection, 41 models, 10,000 requests.

    PYTHONPATH=src python benchmarks/decision_overhead.py [--requests 10000]

The service runs in a process of its own with SQLite; the requests are a mixture of reading, answering with each of
the 41 models and refusals, by token and by password. Every two seconds the identity is read again from the database, so
the slowest requests show what that costs. Requests for `/livez` of the same server show what HTTP alone takes.
"""

import argparse
import base64
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time

from recording import record

from sirena.access.accounts import Accounts
from sirena.access.actions import Role
from sirena.access.store import open_store
from sirena.access.tokens import Tokens
from sirena.domain.antimicrobials import ANTIMICROBIALS
from sirena.server.parts.processes import free_port

PASSWORD = "correct horse battery"


def main() -> None:
    """Measure, and record the figures."""
    options = argparse.ArgumentParser()
    options.add_argument("--requests", type=int, default=10_000)
    count = options.parse_args().requests
    with tempfile.TemporaryDirectory() as home:
        engine = open_store(f"sqlite:///{home}/sirena.db")
        Accounts(engine).add("carl", frozenset({Role.SCIENTIST}), PASSWORD)
        token = f"Bearer {Tokens(engine).create('carl')[1]}"
        password = "Basic " + base64.b64encode(f"carl:{PASSWORD}".encode()).decode()
        port = free_port()
        command = [sys.executable, "-m", "sirena.cli", "access-service", "--port", str(port)]
        service = subprocess.Popen(command, env={**os.environ, "SIRENA_HOME": home}, stderr=subprocess.DEVNULL)
        try:
            connection = _connect(port)
            alone = _measure(connection, [("/livez", {}, 200)], count)
            by_token = _measure(connection, _questions(token), count)
            by_password = _measure(connection, _questions(password), count)
        finally:
            service.terminate()
            service.wait()
            engine.dispose()
    record(
        "decision_overhead",
        {"requests": count, "http_alone": alone, "token": by_token, "password": by_password},
        headline=f"one decision by token: median {by_token['median_ms']:g} ms, p99 {by_token['p99_ms']:g} ms; "
        f"HTTP alone: median {alone['median_ms']:g} ms",
    )


def _questions(authorization: str) -> list[tuple[str, dict[str, str], int]]:
    asked = [
        ("GET", "/api/2.0/mlflow/runs/get?run_id=0123456789abcdef", 204),
        ("GET", "/static-files/static/js/main.0a1b2c3d.js", 204),
        *(("POST", f"/models/modelo_{drug}_NM/invocations", 204) for drug in ANTIMICROBIALS),
        ("PATCH", "/api/2.0/mlflow/webhooks/1", 403),
    ]
    common = {"Authorization": authorization, "X-Real-IP": "192.0.2.7", "X-Forwarded-Host": "sirena.example"}
    return [
        ("/decide", common | {"X-Original-Method": method, "X-Original-URI": uri}, status)
        for method, uri, status in asked
    ]


def _measure(
    connection: http.client.HTTPConnection, questions: list[tuple[str, dict[str, str], int]], count: int
) -> dict[str, float]:
    took = []
    for number in range(count):
        path, headers, status = questions[number % len(questions)]
        began = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        took.append(1000 * (time.perf_counter() - began))
        if answer.status != status:
            raise SystemExit(f"{path}: {answer.status} instead of {status}")
    ordered = sorted(took)
    return {
        "median_ms": round(statistics.median(ordered), 3),
        "p95_ms": round(ordered[int(0.95 * count)], 3),
        "p99_ms": round(ordered[int(0.99 * count)], 3),
        "longest_ms": round(ordered[-1], 1),
    }


def _connect(port: int) -> http.client.HTTPConnection:
    end = time.monotonic() + 60
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        try:
            connection.connect()
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return connection


if __name__ == "__main__":
    main()
