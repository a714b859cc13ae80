"""Releases loaded one after another while callers ask: failed requests, seconds until each answers, and memory.

    PYTHONPATH=src python benchmarks/reloads.py [--reloads 300]

`sirena serve` answers from a panel file with a model for each antimicrobial of the invented hospital; `wrk` sends
requests over eight connections all the while. The file is replaced, and SIGHUP is sent to the service. Bounds of the
project: no request fails, another release answers within 2 s, and memory is flat over 300 of them.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Final

from echo_serving import isolates, write_panel, write_requests
from processes import resident_mib
from recording import record
from servers import Served, serving

_CONNECTIONS: Final = 8
_ISOLATES: Final = 100
_SETTLED: Final = 20
"""Reloads after which memory is looked at for the first time: buffers and caches have grown by then."""


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reloads", type=int, default=300)
    reloads: int = parser.parse_args().reloads
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install wrk")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        panel = folder / "panel.json"
        columns = write_panel(panel)
        text = panel.read_text("utf-8")
        command = [sys.executable, "-m", "sirena.cli", "serve", "--port", "PORT", "--panel", str(panel)]
        with serving(command, "/readyz", {"SIRENA_HOME": name}, folder / "sirena.log") as served:
            script = write_requests(isolates(_ISOLATES, columns), folder, "application/json")
            address = f"http://127.0.0.1:{served.port}/invocations"
            asking = subprocess.Popen(
                ["wrk", "-t1", f"-c{_CONNECTIONS}", "-d3600s", "--timeout", "60s", "-s", str(script), address],
                stdout=subprocess.PIPE,
                text=True,
            )
            try:
                took, memory = _reload(served, panel, text, reloads)
            finally:
                asking.send_signal(signal.SIGINT)
                told = asking.communicate(timeout=60)[0]
    total = re.search(r"(\d+) requests in ", told)
    if total is None or not int(total[1]):
        raise RuntimeError(f"wrk says:\n{told}")
    failures = " ".join(re.findall(r"(?:Socket errors|Non-2xx).*", told))
    failed = sum(map(int, re.findall(r" (\d+)\b", failures)))
    record(
        "reloads",
        {
            "reloads": reloads,
            "requests": int(total[1]),
            "failed": failed,
            "slowest_seconds": round(max(took), 2),
            "memory_mib": memory,
        },
        headline=f"{reloads} releases taken up while {int(total[1]):,} requests were answered, {failed} failed; the "
        f"slowest answered after {max(took):.1f} s; {memory[0]} MiB after {min(_SETTLED, reloads)} of them, "
        f"{memory[-1]} MiB after all",
    )


def _reload(served: Served, panel: Path, text: str, reloads: int) -> tuple[list[float], list[int]]:
    """Replace the release again and again; return the seconds until each answered, and the memory in MiB."""
    took, memory = [], []
    for number in range(1, reloads + 1):
        release = f"bench-{number}"
        beside = panel.with_suffix(".new")
        beside.write_text(json.dumps({**json.loads(text), "release": release}), "utf-8")
        began = time.perf_counter()
        beside.replace(panel)
        os.kill(served.pid, signal.SIGHUP)
        while _release(served) != release:
            time.sleep(0.01)
        took.append(time.perf_counter() - began)
        if number % _SETTLED == 0 or number == reloads:
            memory.append(resident_mib(served.pid))
    return took, memory


def _release(served: Served) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{served.port}/version", timeout=60) as answer:
        return str(json.load(answer)["release"])


if __name__ == "__main__":
    main()
