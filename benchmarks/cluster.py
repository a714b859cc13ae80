"""A long file answered and counted on a Ray cluster, compared with the local engine on as many cores.

    PYTHONPATH=src python benchmarks/cluster.py [--isolates 4000000]

The bound: efficiency of at least 0.8 with one worker and with two, and memory of the command that does not grow with
the file. Efficiency is the seconds of the local engine over those of the cluster, both held to as many cores
as there are workers; on them run the workers, the cluster's own processes and the command. Each worker is a machine of
its own, a raylet. The cluster runs already; the command is a new process, and Ray starts new workers for each command.
Their imports and joining, some seconds, are included, so the file is a long one. The benchmark checks that the answers
are the same, byte for byte.
"""

import argparse
import filecmp
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from processes import measured, processor_seconds
from recording import Peer, record

DISTINCT = 100_000
"""Isolates generated; a longer file repeats them."""
COMMANDS = {"reference": ("reference", ".csv"), "antibiogram": ("antibiogram", ".csv")}
"""What is asked, and the suffix of what is written."""


def asked(name: str, source: Path, target: Path, engine: str, cores: int, address: str) -> dict[str, Any]:
    """Run a command on some cores; return its seconds, and processor seconds and peak memory of its own process."""
    by = ["--reference"] if name == "antibiogram" else []
    return measured(
        [sys.executable, "-m", "sirena.cli", name, str(source), "-o", str(target), *by, "--engine", engine],
        {**os.environ, "RAY_ADDRESS": address},
        range(cores),
    )


@contextmanager
def machines(workers: int) -> Iterator[str]:
    """Run a cluster of some machines with one processor each, on as many cores; give its address."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(workers))
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    try:
        for _ in range(workers - 1):
            cluster.add_node(num_cpus=1)
        yield cluster.address
    finally:
        cluster.shutdown()  # type: ignore[no-untyped-call]  # a library without types
        os.sched_setaffinity(0, before)


def seconds_of_the_cluster() -> dict[str, float]:
    """Return the processor seconds that each process of a cluster has used, by process id."""
    taken = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            command = (folder / "cmdline").read_bytes()
            if b"/ray/" in command or b"ray::" in command:
                taken[folder.name] = processor_seconds(int(folder.name))
    return taken


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Give the processor seconds of the cluster's processes, sampled often, since workers end with their command."""
    before, latest, ended = seconds_of_the_cluster(), {}, threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            latest.update({number: taken - before.get(number, 0) for number, taken in seconds_of_the_cluster().items()})

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield latest
    finally:
        ended.set()
        thread.join()


def compared(source: Path, workers: int) -> dict[str, Any]:
    """Measure both engines on as many cores."""
    figures: dict[str, Any] = {}
    folder = source.parent
    with machines(workers) as address:
        for name, (command, suffix) in COMMANDS.items():
            one, other = folder / f"local{suffix}", folder / f"ray{suffix}"
            local = asked(command, source, one, "local", workers, "")
            with watched() as taken:
                ray = asked(command, source, other, "ray", workers, address)
            ray["processor_seconds_of_the_cluster"] = round(sum(taken.values()), 2)
            if not filecmp.cmp(one, other, shallow=False):
                raise RuntimeError(f"{name}: the engines do not agree")
            figures[name] = {"local": local, "ray": ray, "efficiency": round(local["seconds"] / ray["seconds"], 2)}
            print(f"{workers} workers, {name}: {figures[name]}", flush=True)
    return figures


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isolates", type=int, default=4_000_000)
    isolates = parser.parse_args().isolates
    import polars as pl

    from sirena.whonet.synthetic import generate_hospital

    hospital = generate_hospital(DISTINCT, seed=2)
    with tempfile.TemporaryDirectory() as name:
        source, half = (Path(name, f"{part}.csv") for part in ("whole", "half"))
        rows = pl.concat([hospital] * -(-isolates // DISTINCT)).head(isolates)
        rows.write_csv(source)
        rows.head(isolates // 2).write_csv(half)
        del rows
        figures = {str(workers): compared(source, workers) for workers in (1, 2)}
        with machines(2) as address:
            target = Path(name, "answer.csv")
            memory = {
                path.stem: asked("reference", path, target, "ray", 2, address)["peak_mib"] for path in (half, source)
            }
    reference = figures["2"]["reference"]
    record(
        "cluster",
        {"isolates": isolates, "workers": figures, "peak_mib_of_the_command": memory},
        headline="; ".join(
            f"{name}: efficiency {figures['1'][name]['efficiency']} with one worker, "
            f"{figures['2'][name]['efficiency']} with two"
            for name in COMMANDS
        )
        + f"; the command that asks {memory['half']} MiB for half the file, {memory['whole']} for all of it",
        peers=(
            Peer(
                "the local engine",
                f"seconds, {isolates:,} isolates answered, two cores",
                reference["ray"]["seconds"],
                reference["local"]["seconds"],
                "same run",
                more_is_better=False,
            ),
        ),
    )


if __name__ == "__main__":
    main()
