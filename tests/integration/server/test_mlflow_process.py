"""MLflow's server as one program: its workers are forks, each with connections of its own, and are replaced."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from sirena.server.parts.mlflow_server import MLFLOW_PROCESS, QUIET
from sirena.server.parts.processes import free_port
from tests.waiting import wait_until

MODELS = "/api/2.0/mlflow/registered-models"


def test_workers_answer_are_replaced_and_end_together(tmp_path: Path) -> None:
    """Both write at once, a stranger's host is refused, one that is killed or told to end comes back."""
    port = free_port()
    place = f"127.0.0.1:{port}"
    command = [
        *(sys.executable, "-m", MLFLOW_PROCESS, "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "2"),
        *("--backend-store-uri", f"sqlite:///{tmp_path / 'mlflow.db'}", "--allowed-hosts", place),
        *("--artifacts-destination", str(tmp_path / "artifacts"), "--cors-allowed-origins", f"http://{place}"),
    ]

    def status(path: str, body: str | None = None, host: str = place) -> int:
        headers = {"Host": host, "Content-Type": "application/json"}
        data = None if body is None else body.encode()
        request = urllib.request.Request(f"http://{place}{path}", data, headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    with Path(tmp_path, "log").open("w") as log:
        server = subprocess.Popen(command, env={**os.environ, **QUIET}, stdout=log, stderr=log)
    try:
        wait_until(lambda: server.poll() is not None or status("/health") == 200, seconds=300)
        workers = children(server)
        assert len(workers) == 2
        with ThreadPoolExecutor(8) as callers:
            made = callers.map(lambda number: status(f"{MODELS}/create", f'{{"name": "m{number}"}}'), range(40))
            assert set(made) == {200}
        assert status(f"{MODELS}/search", host="elsewhere.example") == 403

        os.kill(workers[0], signal.SIGKILL)
        wait_until(lambda: len({*children(server)} - {workers[0]}) == 2, seconds=300)
        with ThreadPoolExecutor(8) as callers:
            assert set(callers.map(lambda _: status(f"{MODELS}/search"), range(40))) == {200}

        workers = children(server)
        os.kill(workers[0], signal.SIGKILL)
        begun: list[int] = []
        while not begun:
            begun = [worker for worker in children(server) if worker not in workers]
        os.kill(begun[0], signal.SIGTERM)  # before it has a handler of its own
        wait_until(lambda: len({*children(server)} - {*workers[:1], *begun}) == 2, seconds=300)

        workers = children(server)
        server.send_signal(signal.SIGTERM)
        assert server.wait(120) == 0
        assert not [worker for worker in workers if Path(f"/proc/{worker}/exe").exists()]
    finally:
        if server.poll() is None:
            for process in (*children(server), server.pid):
                os.kill(process, signal.SIGKILL)
            server.wait()


def children(server: "subprocess.Popen[bytes]") -> list[int]:
    """Return the processes that a server started."""
    return [process.pid for process in psutil.Process(server.pid).children()]
