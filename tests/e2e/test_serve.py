"""`sirena serve` as an operator meets it: a process, a port, signals."""

import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pandas as pd
import pytest

from sirena.panel.compiled import Panel
from tests.panels import small_panel
from tests.prepared_interpreter import PreparedPopen

BODY = {"dataframe_records": [{"ORGANISM": "eco", "AMK_NM": "4"}, {"ORGANISM": "pae", "AMK_NM": ">=128"}]}
ANSWER = [{"Eti_AMK_NM": "S"}, {"Eti_AMK_NM": "R"}]


@dataclass(frozen=True)
class Served:
    """A running `sirena serve`."""

    process: subprocess.Popen[str]
    url: str


def write_panel(path: Path, panel: Panel) -> None:
    """Put a panel's file in its place as one step."""
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(panel.to_json()), encoding="utf-8")
    beside.replace(path)


def command(*options: str) -> list[str]:
    """Return the command line of `sirena serve`."""
    return [sys.executable, "-m", "sirena.cli", "serve", *options]


@contextmanager
def serving(*options: str, poll_seconds: float = 3600) -> Iterator[Served]:
    """Start the command on a free port and wait for the line that tells the URL."""
    environment = {**os.environ, "SIRENA_POLL_SECONDS": str(poll_seconds)}
    process = PreparedPopen(
        command("--port", "0", *options),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        yield Served(process, found.group())
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def panel_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A panel written to a file."""
    path = tmp_path_factory.mktemp("panel") / "panel.json"
    write_panel(path, small_panel())
    return path


@pytest.fixture(scope="module")
def served(panel_file: Path) -> Iterator[Served]:
    """One service for the tests that only ask."""
    with serving("--panel", str(panel_file)) as running:
        yield running


def wait_ready(url: str) -> None:
    """Wait until the service accepts."""
    end = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < end, "not ready"
        time.sleep(0.02)


def test_curl_gets_an_answer(served: Served) -> None:
    """The README's first request works as it stands there."""
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    done = subprocess.run(
        [curl, "-sS", "-H", "Content-Type: application/json", f"{served.url}/invocations", "-d", json.dumps(BODY)],
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert json.loads(done.stdout)["predictions"] == ANSWER


def test_long_bodies_of_clients_that_left_are_not_answered(served: Served) -> None:
    """Clients that gave up keep nobody waiting."""
    wait_ready(served.url)
    body = json.dumps({"dataframe_records": BODY["dataframe_records"] * 20_000}).encode()
    headers = ("Host: x", "Content-Type: application/json", f"Content-Length: {len(body)}", "", "")
    head = "\r\n".join(("POST /invocations HTTP/1.1", *headers))
    for _ in range(10):
        with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2]))) as client:
            client.sendall(head.encode() + body)
    answer = httpx.post(f"{served.url}/invocations", content=body, headers={"Content-Type": "application/json"})
    assert answer.json()["predictions"][-2:] == ANSWER
    told = httpx.get(f"{served.url}/metrics").text.splitlines()
    assert any(line.startswith("sirena_requests_total{") and 'status="499"' in line for line in told), told


def test_more_bodies_than_memory_is_for_are_refused_at_once(served: Served) -> None:
    """Somebody is told to repeat, and is answered when the others are through or gone."""
    wait_ready(served.url)
    length = 30 * 2**20  # of the 128 MiB that are held four fit, and a fifth does not
    head = (
        f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
    with ExitStack() as stack:
        port = int(served.url.rpartition(":")[2])
        clients = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(5)]
        for client in clients:
            with suppress(ConnectionError):  # refused midway
                client.sendall(head.encode() + bytes(length - 1))
        told, _, _ = select.select(clients, [], [], 60)
        answers = [client.recv(10_000) for client in told]
    assert [answer.split()[1] for answer in answers] == [b"503"]
    assert b'"code":"busy"' in answers[0]
    assert httpx.post(f"{served.url}/invocations", json=BODY).json()["predictions"] == ANSWER


def test_mlflows_own_client_gets_an_answer(served: Served) -> None:
    """What is written for MLflow's scoring server works here unchanged, empty cells of a data frame included."""
    from sirena.registry.mlflow_quietly import mlflow  # noqa: F401 - silences MLflow's import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.pyfunc.scoring_server.client import ScoringServerClient
    client = ScoringServerClient("127.0.0.1", int(served.url.rpartition(":")[2]))
    client.wait_server_ready()
    frame = pd.DataFrame({"ORGANISM": ["eco", "pae", "eco"], "AMK_NM": ["4", ">=128", float("nan")]})
    answers = client.invoke(frame).get_predictions()
    assert list(answers.columns) == ["Eti_AMK_NM"]
    assert answers["Eti_AMK_NM"].fillna("").tolist() == ["S", "R", ""]


def test_a_port_in_use_is_one_clear_message(served: Served, panel_file: Path) -> None:
    """The second server ends at once and says why."""
    port = served.url.rpartition(":")[2]
    done = subprocess.run(
        command("--port", port, "--panel", str(panel_file)), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert "port is in use" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_new_panel_is_taken_up_at_sighup_and_the_end_is_clean(tmp_path: Path) -> None:
    """No restart for a new release; SIGTERM leaves with 0 and a log of JSON lines only."""
    path = tmp_path / "panel.json"
    write_panel(path, small_panel("first"))
    with serving("--panel", str(path)) as running:
        wait_ready(running.url)
        write_panel(path, small_panel("second", shift=-8))
        running.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 60
        while httpx.get(f"{running.url}/version").json()["release"] != "second":
            assert time.monotonic() < end
            time.sleep(0.02)
        answer = httpx.post(f"{running.url}/invocations", json=BODY).json()
        assert [row["Eti_AMK_NM"] for row in answer["predictions"]] == ["R", "R"]
        path.unlink()
        running.process.send_signal(signal.SIGHUP)
        assert httpx.post(f"{running.url}/invocations", json=BODY).json()["predictions"] == answer["predictions"]
        running.process.send_signal(signal.SIGTERM)
        output, errors = running.process.communicate(timeout=60)
    assert running.process.returncode == 0
    assert {json.loads(line)["event"] for line in output.splitlines()} >= {"panel_loaded", "request"}
    assert errors == ""


def test_ctrl_c_is_a_clean_end(panel_file: Path) -> None:
    """Stopping a server by hand is no failure."""
    with serving("--panel", str(panel_file)) as running:
        wait_ready(running.url)
        running.process.send_signal(signal.SIGINT)
        _, errors = running.process.communicate(timeout=60)
    assert (running.process.returncode, errors) == (0, "")


def test_a_request_under_way_is_answered_before_the_end(panel_file: Path) -> None:
    """SIGTERM drains: a body half sent is read and answered, then the process leaves."""
    with serving("--panel", str(panel_file)) as running:
        wait_ready(running.url)
        body = json.dumps(BODY).encode()
        half_sent = threading.Event()

        def slowly() -> Iterator[bytes]:
            yield body[:10]
            half_sent.set()
            time.sleep(0.7)
            yield body[10:]

        answers: list[httpx.Response] = []
        asking = threading.Thread(
            target=lambda: answers.append(
                httpx.post(
                    f"{running.url}/invocations",
                    content=slowly(),
                    headers={"Content-Type": "application/json"},
                    timeout=60,
                )
            )
        )
        asking.start()
        assert half_sent.wait(60)
        time.sleep(0.2)
        running.process.send_signal(signal.SIGTERM)
        asking.join()
        running.process.communicate(timeout=60)
    assert [(answer.status_code, answer.json()["predictions"]) for answer in answers] == [(200, ANSWER)]
    assert running.process.returncode == 0


def test_a_service_without_a_panel_waits_for_one(tmp_path: Path) -> None:
    """Started before its panel exists, it is alive, not ready, and becomes ready by itself."""
    path = tmp_path / "panel.json"
    with serving("--panel", str(path), poll_seconds=0.1) as running:
        end = time.monotonic() + 60
        while True:
            try:
                assert httpx.get(f"{running.url}/readyz").status_code == 503
                break
            except httpx.TransportError:
                assert time.monotonic() < end
                time.sleep(0.02)
        write_panel(path, small_panel())
        wait_ready(running.url)
