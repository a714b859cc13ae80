"""How near `sirena serve` is to its limit: the same server with an application that only sends back what it receives.

    PYTHONPATH=src python benchmarks/echo_serving.py [--seconds 5]

Both run in the same benchmark, the echo on the same uvicorn with the same settings (`sirena.serving.server`), asked in
turn by `wrk` (Debian package of that name) over kept-alive connections. They are asked for one MIC in several short
rounds, each of which gives a share of the echo's rate, and the median share counts, since other work on the machine
spoils a long round of one and not of the other. Sirena answers from a panel file with a model for each antimicrobial of
the invented hospital. Everything is measured with one worker and with two. Bounds of the project, for one MIC: 60 % of
the echo's requests a second, p99 at 8 connections at most twice the echo's; one isolate × 41: 8,000 requests/s;
1000 × 41: 4 M results/s in JSON, 10 M in Arrow; all models in 120 MiB, ready in 1 s.

Last, the same service answers one isolate with a release that answers unseen (a shadow) and without, in turn: what the
shadow costs callers. Its thread works a twentieth of the time at most.

Processor time per request is that of the server, from the kernel, so it is comparable on a machine that others use.
"""

import argparse
import io
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import polars as pl
from processes import resident_mib, session_processor_seconds
from recording import Peer, record
from servers import Served, body, serving

from sirena.guidelines.editions import load_edition
from sirena.guidelines.interpreter import compile_tables
from sirena.panel.compiled import Panel
from sirena.serving.long_bodies import REST_SECONDS
from sirena.serving.request_bodies import ARROW_TYPE
from sirena.whonet.synthetic import generate_hospital

_CONNECTIONS: Final = (1, 8, 64)
_DRUGS: Final = 41
_WORKERS: Final = (1, 2)
_ROUNDS: Final = 5
"""Rounds in which both servers are asked for one MIC, each for a part of `--seconds`."""
_PART_OF_SECONDS: Final = 0.4
_LONG_CONNECTIONS: Final = (1, 2, 4, 8)
"""Connections over which long bodies are sent; the best of them counts."""
_SHADOWED_CONNECTIONS: Final = 8
_SHADOWED_ROUNDS: Final = 5
_ISOLATES: Final = 500
"""Different bodies of one isolate, asked in turn."""
_MILLISECONDS: Final = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
_ECHO: Final = """
import os, sys, uvicorn
from sirena.serving.server import bind, run_until_signal
from sirena.serving.turns import Turns, TurnServer

async def echo(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["method"] == "GET":
        body = b""
    else:
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})

bound, workers = bind("127.0.0.1", int(sys.argv[1])), int(sys.argv[2])
turns, place = Turns(workers), 0
while place < workers - 1 and os.fork():
    place += 1
make_server = uvicorn.Server if workers == 1 else lambda config: TurnServer(config, turns, place)
run_until_signal(echo, bound, make_server=make_server)
"""
_SHADOWED: Final = """
import sys
from pathlib import Path
from sirena.serving.application import create_app
from sirena.serving.server import bind, run_until_signal
from sirena.serving.source import FilePanelSource

class Shadowed(FilePanelSource):
    shadow_mark = sys.argv[3] or None

    def load_shadow(self):
        return FilePanelSource(Path(self.shadow_mark)).fetch(None).panel

app = create_app(Shadowed(Path(sys.argv[2])))
run_until_signal(app, bind("127.0.0.1", int(sys.argv[1])), protocol=app.protocol)
"""
_ASK: Final = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "%(media)s"
local requests, turn = {}, 0

function init()
    for number = 1, %(number)d do
        local file = io.open("%(folder)s/body." .. number, "rb")
        requests[number] = wrk.format(nil, nil, nil, file:read("*a"))
        file:close()
    end
end

function request()
    turn = turn %% #requests + 1
    return requests[turn]
end
"""


def write_panel(path: Path, release: str = "bench") -> list[str]:
    """Write a panel with the reference's tables; return its test columns."""
    edition = load_edition("CLSI 2026")
    columns = [name for name in generate_hospital(1, seed=3).columns if name.endswith("_NM")][:_DRUGS]
    tables = compile_tables(edition, drugs=[column.removesuffix("_NM") for column in columns])
    facts = {"version": "1", "release": release, "edition": edition.name, "basis": "reference"}
    provenance = {table.column: {"model": f"modelo_{table.column}", **facts} for table in tables.values()}
    panel = Panel({table.column: table for table in tables.values()}, provenance, release)
    path.write_text(json.dumps(panel.to_json()), "utf-8")
    return columns


def in_arrow(content: bytes) -> bytes:
    """Return a JSON body as an Arrow stream, as Polars writes it."""
    stream = io.BytesIO()
    pl.DataFrame(json.loads(content)["dataframe_records"]).write_ipc_stream(stream)
    return stream.getvalue()


def in_tensors(content: bytes) -> bytes:
    """Return a JSON body of one isolate as tensors of the Open Inference Protocol."""
    (record,) = json.loads(content)["dataframe_records"]
    tensors = [{"name": name, "shape": [1], "datatype": "BYTES", "data": [cell]} for name, cell in record.items()]
    return json.dumps({"inputs": tensors}).encode()


def in_csv(content: bytes) -> bytes:
    """Return a JSON body as CSV."""
    return pl.DataFrame(json.loads(content)["dataframe_records"]).write_csv().encode()


def isolates(number: int, columns: list[str]) -> list[bytes]:
    """Return bodies of one isolate each, in the order of a hospital's file."""
    records = json.loads(body(number, columns))["dataframe_records"]
    return [json.dumps({"dataframe_records": [record]}).encode() for record in records]


def write_requests(contents: list[bytes], folder: Path, media: str) -> Path:
    """Write bodies, and the script with which `wrk` sends them in turn; return the script."""
    for position, content in enumerate(contents):
        (folder / f"body.{position + 1}").write_bytes(content)
    script = folder / "ask.lua"
    script.write_text(_ASK % {"media": media, "folder": folder, "number": len(contents)})
    return script


def load(
    served: Served,
    contents: list[bytes],
    folder: Path,
    *,
    connections: int,
    seconds: float,
    media: str = "application/json",
    path: str = "/invocations",
) -> dict[str, float]:
    """Send bodies in turn to a server for some seconds.

    Returns:
        requests_per_second, p50_ms, p99_ms and the server's processor_ms_per_request.

    Raises:
        RuntimeError: an answer was not 200.
    """
    script = write_requests(contents, folder, media)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "60s", "--latency", "-s", str(script)]
    before = session_processor_seconds(served.pid)
    text = subprocess.run(
        [*command, f"http://127.0.0.1:{served.port}{path}"], check=True, capture_output=True, text=True
    ).stdout
    used = session_processor_seconds(served.pid) - before
    total = re.search(r"(\d+) requests in ", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    if total is None or rate is None or "Non-2xx" in text or not int(total[1]):
        raise RuntimeError(f"wrk says:\n{text}")
    return {
        "requests_per_second": float(rate[1]),
        "p50_ms": _percentile(text, 50),
        "p99_ms": _percentile(text, 99),
        "processor_ms_per_request": round(1000 * used / int(total[1]), 4),
    }


def _percentile(text: str, percent: int) -> float:
    match = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s|m)\b", text)
    assert match, text
    return round(float(match[1]) * _MILLISECONDS[match[2]], 3)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each kind of question")
    seconds: float = parser.parse_args().seconds
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install wrk")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        columns = write_panel(folder / "panel.json")
        one, two = (measure_workers(number, columns, folder, seconds) for number in _WORKERS)
        shadowed = measure_shadow(folder, seconds)
    report(one, two, shadowed)


def measure_workers(number: int, columns: list[str], folder: Path, seconds: float) -> dict[str, Any]:
    """Start both servers with a number of workers, and measure them in turn."""
    environment = {"SIRENA_HOME": str(folder)}
    sirena_command = [sys.executable, "-m", "sirena.cli", "serve", "--port", "PORT", "--workers", str(number)]
    sirena_command += ["--panel", str(folder / "panel.json")]
    echo_command = [sys.executable, "-c", _ECHO, "PORT", str(number)]
    with (
        serving(echo_command, "/", environment, folder / "echo.log") as echo,
        serving(sirena_command, "/readyz", environment, folder / "sirena.log") as sirena,
    ):
        return measure(echo, sirena, columns, folder, seconds)


def measure_shadow(folder: Path, seconds: float) -> dict[str, Any]:
    """Ask the service with a shadow and without, in turn.

    Returns:
        The figures of both, and requests a second with it in percent of those without, the median of the rounds.
    """
    write_panel(folder / "shadow.json", "bench_shadow")
    command = [sys.executable, "-c", _SHADOWED, "PORT", str(folder / "panel.json")]
    contents = isolates(_ISOLATES, ["AMK_NM"])
    with (
        serving([*command, ""], "/readyz", {}, folder / "alone.log") as alone,
        serving([*command, str(folder / "shadow.json")], "/readyz", {}, folder / "shadowed.log") as shadowed,
    ):
        rounds = [
            {
                name: load(served, contents, folder, connections=_SHADOWED_CONNECTIONS, seconds=seconds)
                for name, served in (("without", alone), ("with", shadowed))
            }
            for _ in range(_SHADOWED_ROUNDS)
        ]
    shares = [100 * one["with"]["requests_per_second"] / one["without"]["requests_per_second"] for one in rounds]
    return {"rounds": rounds, "connections": _SHADOWED_CONNECTIONS, "percent": round(statistics.median(shares))}


def measure(echo: Served, sirena: Served, columns: list[str], folder: Path, seconds: float) -> dict[str, Any]:
    """Measure both servers in turn."""
    one, whole, many = isolates(_ISOLATES, ["AMK_NM"]), isolates(_ISOLATES, columns), body(1000, columns)
    figures: dict[str, Any] = {"echo": {}, "sirena": {}, "of_the_echo_percent": {}}
    servers = {"echo": echo, "sirena": sirena}
    for connections in _CONNECTIONS:
        rounds = [
            {
                name: load(
                    served, one, folder, connections=connections, seconds=max(1, round(_PART_OF_SECONDS * seconds))
                )
                for name, served in servers.items()
            }
            for _ in range(_ROUNDS)
        ]
        for name in servers:
            figures[name][f"one_row_{connections}_connections"] = _median_round([both[name] for both in rounds])
        figures["of_the_echo_percent"][f"{connections}_connections"] = round(
            statistics.median(
                100 * both["sirena"]["requests_per_second"] / both["echo"]["requests_per_second"] for both in rounds
            )
        )
    figures["sirena"]["one_row_as_tensors_8_connections"] = load(
        sirena,
        [in_tensors(content) for content in one],
        folder,
        connections=8,
        seconds=seconds,
        path="/v2/models/modelo_AMK_NM/infer",
    )
    figures["sirena"]["one_isolate_41_columns_8_connections"] = load(
        sirena, whole, folder, connections=8, seconds=seconds
    )
    for name, served in (("echo", echo), ("sirena", sirena)):
        figures[name] |= {"ready_seconds": served.ready_seconds, "memory_mib": resident_mib(served.pid)}
    for key, content, media in (
        ("", many, "application/json"),
        ("_csv", in_csv(many), "text/csv"),
        ("_arrow", in_arrow(many), ARROW_TYPE),
    ):
        kinds = {
            number: load(sirena, [content], folder, connections=number, seconds=seconds, media=media)
            for number in _LONG_CONNECTIONS
        }
        best, kind = max(kinds.items(), key=lambda item: item[1]["requests_per_second"])
        results = round(kind["requests_per_second"] * 1000 * len(columns))
        figures["sirena"][f"thousand_isolates_41_columns{key}"] = {
            **kind,
            "results_per_second": results,
            "connections": best,
        }
    figures["sirena"]["memory_mib_after_bodies_of_thousands"] = resident_mib(sirena.pid)
    time.sleep(2 * REST_SECONDS)
    figures["sirena"]["memory_mib_at_rest_after_them"] = resident_mib(sirena.pid)
    return figures


def _median_round(rounds: list[dict[str, float]]) -> dict[str, float]:
    return sorted(rounds, key=lambda figures: figures["requests_per_second"])[len(rounds) // 2]


def report(figures: dict[str, Any], two: dict[str, Any], shadowed: dict[str, Any]) -> None:
    """Record the comparison.

    Args:
        figures: figures with one worker.
        two: figures with two workers.
        shadowed: figures with a shadow and without.
    """
    echo, sirena = figures["echo"], figures["sirena"]
    ratios = figures["of_the_echo_percent"]
    of_two = two["sirena"]
    one = "one_row_8_connections"
    record(
        "echo_serving",
        {**figures, "two_workers": two, "shadow": shadowed},
        headline="one row: "
        + ", ".join(f"{percent} %" for percent in ratios.values())
        + f" of the echo's requests/s over {', '.join(map(str, _CONNECTIONS))} connections, "
        f"{sirena[one]['processor_ms_per_request']:g} ms of processor a request (echo "
        f"{echo[one]['processor_ms_per_request']:g}), as tensors "
        f"{sirena['one_row_as_tensors_8_connections']['processor_ms_per_request']:g}; one isolate × 41: "
        f"{sirena['one_isolate_41_columns_8_connections']['requests_per_second']:,.0f} requests/s; 1000 × 41: "
        f"{sirena['thousand_isolates_41_columns']['results_per_second']:,} results/s, in CSV "
        f"{sirena['thousand_isolates_41_columns_csv']['results_per_second']:,}, in Arrow "
        f"{sirena['thousand_isolates_41_columns_arrow']['results_per_second']:,}; {sirena['memory_mib']} MiB, "
        f"ready in {sirena['ready_seconds']:g} s; two workers: "
        + ", ".join(f"{percent} %" for percent in two["of_the_echo_percent"].values())
        + f" of an echo of two, 1000 × 41: {of_two['thousand_isolates_41_columns']['results_per_second']:,} results/s, "
        f"in CSV {of_two['thousand_isolates_41_columns_csv']['results_per_second']:,}, in Arrow "
        f"{of_two['thousand_isolates_41_columns_arrow']['results_per_second']:,}; {of_two['memory_mib']} MiB, "
        f"{of_two['memory_mib_at_rest_after_them']} at rest after long bodies, "
        f"ready in {of_two['ready_seconds']:g} s; with a shadow {shadowed['percent']} % of the requests/s without",
        peers=(
            Peer(
                "a bare echo",
                "processor ms a request of one row, 8 connections",
                sirena[one]["processor_ms_per_request"],
                echo[one]["processor_ms_per_request"],
                "same run",
                more_is_better=False,
            ),
            Peer(
                "a bare echo",
                "p99 of one row, ms, 8 connections",
                sirena[one]["p99_ms"],
                echo[one]["p99_ms"],
                "same run",
                more_is_better=False,
            ),
        ),
    )


if __name__ == "__main__":
    main()
