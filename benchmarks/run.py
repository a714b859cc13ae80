"""Run the benchmarks one after another and write the table of benchmarks/README.md from their results.

    python benchmarks/run.py [--only NAME ...] [--table]

``--only`` names one benchmark and may be repeated; ``--table`` measures nothing and only writes the table. A test
compares the table with the results. Exit code 1 if a benchmark failed.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
README = FOLDER / "README.md"
BEGIN, END = "<!-- results: written by run.py -->\n", "<!-- end of results -->\n"

BENCHMARKS = {
    "startup": "time until a command answers",
    "files": "reading and writing each file format",
    "odd_files": "files as hospitals have them, and mutated ones: what is read wrongly in silence",
    "reference_speed": "results a second of the reference interpreter",
    "bulk": "a long file answered part by part",
    "antibiogram": "the whole antibiogram of a hospital, first isolates included",
    "cluster": "a long file on a Ray cluster of one machine and of two, beside the local engine on one core",
    "pages_tasks": "six tasks of somebody in a hurry at the pages, in Chromium: clicks, and seconds waited",
    "certify_panel": "certifying 41 models",
    "decision_overhead": "a decision of the access service, as NGINX asks it",
    "entry_overhead": "what that adds to a request through NGINX, and how soon a revoked token is refused",
    "registry": "every model of an edition into MLflow, through the gate, into a release",
    "entry_promotion": "41 versions through NGINX, TLS and the access service: registered, promoted, released",
    "backup": "a backup and a drill, 41 models and 1,000 versions",
    "echo_serving": "requests a second, beside a bare echo of the same server",
    "reloads": "another release while callers ask, 300 times: failed requests, time, memory",
    "stock_serving": "requests a second, beside MLflow's own server",
    "training_speed": "all 41 trained, certified, logged and registered",
    "accuracy": "agreement with laboratories on isolates no model has seen",
    "demo": "the whole chain, `sirena demo`",
}
"""Each is a script of this folder that writes ``results/NAME.json``; the short ones come first."""


def run(name: str) -> bool:
    """Run one benchmark; return True if it succeeded."""
    print(f"== {name}: {BENCHMARKS[name]}", flush=True)
    begun = time.perf_counter()
    # the checkout's own package, installed or not
    path = os.pathsep.join(filter(None, (str(FOLDER.parent / "src"), os.environ.get("PYTHONPATH"))))
    ended = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py")], check=False, env={**os.environ, "PYTHONPATH": path}
    )
    print(f"== {name}: exit code {ended.returncode} after {time.perf_counter() - begun:.0f} s\n", flush=True)
    return ended.returncode == 0


def table() -> str:
    """Return the table of all recorded results, in the order of `BENCHMARKS`."""
    lines = ["| benchmark | result | beside | machine, date |", "|---|---|---|---|"]
    for name, what in BENCHMARKS.items():
        path = FOLDER / "results" / f"{name}.json"
        if path.exists():
            lines.append(_row(name, what, json.loads(path.read_text("utf-8"))))
    return "\n".join(lines) + "\n"


def _row(name: str, what: str, result: dict[str, Any]) -> str:
    beside = "; ".join(
        f"{peer['times_better']:,g} × {peer['name']} ({peer['what']}; {peer['measured']})"
        for peer in result["peers"][:1]
    )
    machine = result["machine"]
    load = " to ".join(str(machine[key]) for key in ("load_before", "load_after") if key in machine)
    where = f"{machine['processor']}, {machine['cores']} cores, load {load}; {result['date']}"
    return f"| [`{name}`]({name}.py): {what} | {result['headline']} | {beside or '–'} | {where} |"


def with_table(document: str) -> str:
    """Return README.md's text with a new table."""
    before, _, rest = document.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


def main() -> int:
    """Run benchmarks, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=list(BENCHMARKS), metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--table", action="store_true", help="measure nothing, write the table")
    options = parser.parse_args()
    chosen = [] if options.table else options.only or list(BENCHMARKS)
    failed = [name for name in chosen if not run(name)]
    README.write_text(with_table(README.read_text("utf-8")), "utf-8")
    print(table())
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
