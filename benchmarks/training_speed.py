"""Speed and memory of a whole training: read, learn, certify, log and register all 41 against a real MLflow server.

    PYTHONPATH=src python benchmarks/training_speed.py [--isolates 50000] [--labels file reference]

For each source of labels: a file of that many isolates and one ten times as long, each trained in a process of its own
and into an MLflow server (SQLite and a folder) of its own. Bounds: 180 s and 2 GB for the shorter file; ten
times the rows at most 1.3 times the time beyond reading. Wall seconds depend on other users of the machine, so
processor seconds are reported too. The peer is our user's earlier notebook, one epoch of 32,668 rows measured.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from laboratory import labelled_hospital
from processes import peak_mib
from recording import Peer, record

from sirena.server.parts.mlflow_server import embedded_mlflow_server
from sirena.server.parts.processes import free_port
from sirena.settings.catalogue import Settings
from sirena.whonet.writing import write_file

NOTEBOOK_SECONDS = 41 * 100 * 1.8
"""41 models of 100 epochs at 1.8 s an epoch of 32,668 rows, Keras `fit` with batches of 32."""


def train(file: Path, labels: str, tracking_uri: str, home: Path) -> dict[str, Any]:
    """Train as `sirena train` does, timing each phase; runs in a process of its own."""
    began = time.perf_counter()
    from sirena.guidelines.choice import choose_editions
    from sirena.guidelines.editions import Editions
    from sirena.registry.connection import connect
    from sirena.training.columns import columns_to_train
    from sirena.training.evidence import LabelSource, collect_evidence
    from sirena.whonet.reading import read_file

    imported = time.perf_counter()
    registry = connect(Settings(home=home, tracking_uri=tracking_uri, user="bench"))
    editions = choose_editions(Editions())
    connected = time.perf_counter()
    source = read_file(file)
    read, read_processor = time.perf_counter(), sum(os.times()[:2])
    reference = editions.tables(columns_to_train(source.mic_columns.values()))
    evidence = collect_evidence(source, labels=LabelSource(labels), reference=reference)
    del source
    collected, collected_processor = time.perf_counter(), sum(os.times()[:2])
    # after the file, as the command does it
    from sirena.registry.training_session import Plan, run_session

    loaded, loaded_processor = time.perf_counter(), sum(os.times()[:2])
    last = {"trained": loaded, "registered": loaded}

    def told(step: str, _column: str, _total: int) -> None:
        last[step] = time.perf_counter()

    outcomes = run_session(registry, Plan(evidence, editions, "bench"), told)
    ended = time.perf_counter()
    return {
        "models": sum(outcome.version is not None for outcome in outcomes),
        "disagreements": sum(outcome.certificate.disagreeing for outcome in outcomes if outcome.certificate),
        "results": evidence.rows.height,
        "import_seconds": round(imported - began + loaded - collected, 2),
        "connect_and_compile_seconds": round(connected - imported, 2),
        "read_seconds": round(read - connected, 2),
        "evidence_seconds": round(collected - read, 2),
        "train_certify_log_seconds": round(last["trained"] - loaded, 2),
        "log_rest_seconds": round(ended - last["trained"], 2),
        "beyond_reading_seconds": round(ended - read - (loaded - collected), 2),
        "total_seconds": round(ended - began, 2),
        "beyond_reading_processor_seconds": round(
            sum(os.times()[:2]) - read_processor - (loaded_processor - collected_processor), 2
        ),
    }


def measure(isolates: int, labels: str, folder: Path) -> dict[str, Any]:
    """Train once in a child process, and return its figures."""
    file = folder / f"{isolates}.csv"
    if not file.exists():
        write_file(labelled_hospital(isolates, seed=isolates), file)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        home, port = Path(scratch), free_port()
        with embedded_mlflow_server(Settings(home=home), port):
            child = [sys.executable, __file__, "--child", str(file), labels, f"http://127.0.0.1:{port}", scratch]
            subprocess.run(child, check=True, env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"})
        figures: dict[str, Any] = json.loads((home / "figures.json").read_text())
    run = {"isolates": isolates, "labels": labels, **figures}
    print(json.dumps(run), flush=True)
    return run


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isolates", type=int, default=50_000)
    parser.add_argument("--labels", nargs="+", default=["file", "reference"], choices=["file", "reference", "both"])
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        file, labels, uri, home = options.child
        figures = {**train(Path(file), labels, uri, Path(home)), "peak_memory_mib": peak_mib()}
        (Path(home) / "figures.json").write_text(json.dumps(figures))
        return
    with tempfile.TemporaryDirectory(prefix="sirena-bench-") as scratch:
        runs = {
            (labels, size): measure(size, labels, Path(scratch))
            for size in (options.isolates, 10 * options.isolates)
            for labels in options.labels
        }
    short = {labels: runs[labels, options.isolates] for labels in options.labels}
    long = {labels: runs[labels, 10 * options.isolates] for labels in options.labels}

    def growth(key: str) -> dict[str, float]:
        return {labels: round(long[labels][key] / short[labels][key], 2) for labels in options.labels}

    wall, processor = growth("beyond_reading_seconds"), growth("beyond_reading_processor_seconds")
    seconds = ", ".join(f"{labels} {run['total_seconds']:.0f} s" for labels, run in short.items())
    memory = ", ".join(f"{run['peak_memory_mib']:,} MiB" for part in (short, long) for run in part.values())
    ratios = ", ".join(f"{wall[labels]:g} (processor {processor[labels]:g})" for labels in options.labels)
    record(
        "training_speed",
        {"runs": list(runs.values()), "growth_of_wall": wall, "growth_of_processor": processor},
        headline=f"{options.isolates:,} isolates, labels: {seconds}; ten times the rows × {ratios}; peak {memory}",
        peers=(
            Peer(
                "user's earlier notebook",
                "seconds for 41 models",
                max(run["total_seconds"] for run in short.values()),
                NOTEBOOK_SECONDS,
                "one epoch measured on a machine of this kind, × 100 × 41",
                more_is_better=False,
            ),
        ),
    )


if __name__ == "__main__":
    main()
