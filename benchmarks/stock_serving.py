"""Requests per second, latency and memory: `sirena serve` with 41 models, and `mlflow models serve` with one.

    PYTHONPATH=src python benchmarks/stock_serving.py [--seconds 5]

Both answer from the same registry in the same run, one after the other; the same client in this process sends the
requests over kept-alive connections. One-row requests are the same bytes for both; 1000-row requests hold one test
column for both, and all 41 for Sirena besides. Client and server share the machine's cores, so true rates are higher.
"""

import argparse
import json
import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from processes import resident_mib
from recording import Peer, record
from reference_models import certify_and_log, reference_models
from servers import Served, body, serving

from sirena.acts.promoting import promote
from sirena.acts.releasing import activate, create_release
from sirena.certification.gate import load_gate
from sirena.guidelines.editions import load_edition
from sirena.registry.connection import connect
from sirena.registry.judging import RegisteredJudge
from sirena.registry.runs import start_parent_run
from sirena.registry.versions import Stage, find_version
from sirena.server.parts.mlflow_server import embedded_mlflow_server
from sirena.server.parts.processes import free_port
from sirena.settings.catalogue import Settings
from sirena.whonet.synthetic import generate_hospital

_COLUMN: Final = "AMK_NM"
_CONNECTIONS: Final = 8


class Connection:
    """One kept-alive HTTP/1.1 connection that posts the same bytes again and again, with very little own work."""

    def __init__(self, port: int, path: str, content: bytes) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        self._request = f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content

    def ask(self) -> float:
        """Send one request, read the whole response, and return the seconds.

        Raises:
            RuntimeError: the response's status is not 200.
        """
        begun = time.perf_counter()
        self._socket.sendall(self._request)
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._receive()
        head = bytes(received[:end]).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        while len(received) < end + 4 + length:
            received += self._receive()
        if b" 200 " not in head[:16]:
            raise RuntimeError(f"the server answered {bytes(received[:300])!r}")
        return time.perf_counter() - begun

    def _receive(self) -> bytes:
        part = self._socket.recv(1 << 18)
        if not part:
            raise RuntimeError("the server closed the connection")
        return part

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def load(port: int, path: str, content: bytes, *, connections: int, seconds: float) -> dict[str, float]:
    """Send requests for some seconds over some connections, each the next as soon as it has its response.

    Returns:
        requests_per_second, p50_ms and p99_ms.
    """
    taken: list[list[float]] = [[] for _ in range(connections)]
    failures: list[Exception] = []

    def keep_asking(mine: list[float]) -> None:
        try:
            connection = Connection(port, path, content)
            connection.ask()
            while time.perf_counter() < deadline:
                mine.append(connection.ask())
            connection.close()
        except (OSError, RuntimeError) as error:
            failures.append(error)

    begun = time.perf_counter()
    deadline = begun + seconds
    threads = [threading.Thread(target=keep_asking, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    times = np.concatenate(taken)
    return {
        "requests_per_second": round(len(times) / (time.perf_counter() - begun), 1),
        "p50_ms": round(1000 * float(np.percentile(times, 50)), 2),
        "p99_ms": round(1000 * float(np.percentile(times, 99)), 2),
    }


def measure(served: Served, seconds: float, whole_panel: bool) -> dict[str, Any]:
    """Measure one server with every kind of request."""
    one, thousand = body(1, [_COLUMN]), body(1000, [_COLUMN])
    path = "/invocations"
    figures: dict[str, Any] = {
        "ready_seconds": served.ready_seconds,
        "one_row_1_connection": load(served.port, path, one, connections=1, seconds=seconds),
        f"one_row_{_CONNECTIONS}_connections": load(served.port, path, one, connections=_CONNECTIONS, seconds=seconds),
        "thousand_rows": _with_rows(load(served.port, path, thousand, connections=1, seconds=seconds), 1000, 1),
    }
    if whole_panel:
        columns = [name for name in generate_hospital(1, seed=3).columns if name.endswith("_NM")]
        whole, many = body(1, columns), body(1000, columns)
        figures["one_isolate_41_columns"] = load(served.port, path, whole, connections=1, seconds=seconds)
        figures["thousand_isolates_41_columns"] = _with_rows(
            load(served.port, path, many, connections=1, seconds=seconds), 1000, len(columns)
        )
    return {**figures, "memory_mib": resident_mib(served.pid)}


def _with_rows(figures: dict[str, float], rows: int, columns: int) -> dict[str, float]:
    return {**figures, "results_per_second": round(figures["requests_per_second"] * rows * columns)}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each kind of question")
    seconds: float = parser.parse_args().seconds
    edition = load_edition("CLSI 2025")
    with tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder), free_port()
        settings = Settings(home=home, tracking_uri=f"http://127.0.0.1:{port}", user="bench")
        environment = {
            "MLFLOW_TRACKING_URI": settings.tracking_uri,
            "SIRENA_HOME": folder,
            # MLflow looks for uvicorn there
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        with embedded_mlflow_server(settings, port):
            registry = connect(settings)
            logged = certify_and_log(
                registry, reference_models(edition), edition, start_parent_run(registry, "bench", author="bench")
            )
            judge = RegisteredJudge(registry, load_gate(), "bench", lambda _: edition)
            versions = [find_version(registry, str(one)) for one in logged]
            stock = find_version(registry, "modelo_AMK_NM")
            promote(judge, stock, Stage.PRODUCTION)
            activate(registry, create_release(registry, versions, author="bench"), judge)
            command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", "models:/modelo_AMK_NM@production"]
            command += ["--env-manager", "local", "--port", "PORT"]
            with serving(command, "/ping", environment, home / "stock.log") as served:
                mlflow = measure(served, seconds, whole_panel=False)
            print("mlflow models serve:", json.dumps(mlflow), flush=True)
            command = [sys.executable, "-m", "sirena.cli", "serve", "--port", "PORT"]
            with serving(command, "/readyz", environment, home / "sirena.log") as served:
                sirena = measure(served, seconds, whole_panel=True)
            print("sirena serve:", json.dumps(sirena), flush=True)
    report(mlflow, sirena, len(logged))


def report(mlflow: dict[str, Any], sirena: dict[str, Any], models: int) -> None:
    """Record the comparison."""

    def peer(what: str, question: str, figure: str, *, more_is_better: bool = True) -> Peer:
        return Peer(
            "mlflow models serve",
            what,
            sirena[question][figure],
            mlflow[question][figure],
            "same run",
            more_is_better,
        )

    many = f"one_row_{_CONNECTIONS}_connections"
    one = sirena["one_row_1_connection"]
    record(
        "stock_serving",
        {"sirena_serve": {"models": models, **sirena}, "mlflow_models_serve": {"models": 1, **mlflow}},
        headline=f"one row: {one['requests_per_second']:,.0f} requests/s, p50 {one['p50_ms']:g} ms, "
        f"p99 {one['p99_ms']:g} ms; {models} models in {sirena['memory_mib']} MiB (MLflow: one in "
        f"{mlflow['memory_mib']} MiB); 1000 isolates × 41: "
        f"{sirena['thousand_isolates_41_columns']['results_per_second']:,} results/s",
        peers=(
            peer("one-row requests/s, 1 connection", "one_row_1_connection", "requests_per_second"),
            peer("p99 of one row, ms", "one_row_1_connection", "p99_ms", more_is_better=False),
            peer(f"one-row requests/s, {_CONNECTIONS} connections", many, "requests_per_second"),
            peer("rows/s, 1000 rows of one column", "thousand_rows", "results_per_second"),
            Peer(
                "mlflow models serve",
                "memory of one process, MiB",
                sirena["memory_mib"],
                mlflow["memory_mib"],
                "same run",
                more_is_better=False,
            ),
        ),
    )


if __name__ == "__main__":
    main()
