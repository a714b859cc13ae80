"""Servers to be measured, and the requests sent to them."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sirena.server.parts.processes import free_port
from sirena.whonet.synthetic import generate_hospital

_START_SECONDS: Final = 180.0


def body(rows: int, columns: list[str]) -> bytes:
    """Return a request body of synthetic isolates, with every MIC cell filled."""
    frame = generate_hospital(10 * rows + 100, seed=3).drop_nulls("AMK_NM").head(rows)
    records = [
        {"ORGANISM": row["ORGANISM"], **{column: row[column] or "1" for column in columns}}
        for row in frame.iter_rows(named=True)
    ]
    return json.dumps({"dataframe_records": records}).encode()


@dataclass(frozen=True)
class Served:
    """A running server."""

    port: int
    pid: int
    ready_seconds: float
    """From start to the first 200."""


@contextmanager
def serving(command: list[str], health: str, environment: dict[str, str], log: Path) -> Iterator[Served]:
    """Run a server; ``PORT`` in its command is replaced."""
    port = free_port()
    begun = time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen(
            [part.replace("PORT", str(port)) for part in command],
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        while not _healthy(port, health):
            if process.poll() is not None or time.perf_counter() - begun > _START_SECONDS:
                raise RuntimeError(f"{command[2]} did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
            time.sleep(0.05)
        yield Served(port, process.pid, round(time.perf_counter() - begun, 1))
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _healthy(port: int, path: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
            probe.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            return b" 200 " in probe.recv(64)
    except OSError:
        return False
