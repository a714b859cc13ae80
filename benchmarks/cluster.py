"""A long file answered and counted on a Ray cluster, compared with the local engine on one core.

    PYTHONPATH=src python benchmarks/cluster.py [--isolates 1500000]

The bounds: efficiency of at least 0.8 with one worker and with two, and memory of the command that does not grow with
the file. The efficiency of N workers is the seconds of the local engine on one core over N times those of the cluster
on N cores, for the same file. On these N cores run the workers, the cluster's own processes and the command that reads,
joins and writes, so all that a cluster costs counts; on machines of their own the workers would have their cores to
themselves, and a network between them. The affinity of processes holds both to their cores. Each worker is a machine of
its own, a raylet.

Starting is told apart. The cluster runs already, but the command is a new process that joins it, and Ray starts new
workers for each command. A file of a thousand isolates takes that time and hardly more; it is subtracted from both.
`efficiency_with_start` subtracts nothing. The benchmark checks that the answers are the same, byte for byte.
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
SHORT = 1_000
"""Isolates of the file by which starting is measured."""
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


def both_engines(name: str, source: Path, workers: int, address: str) -> dict[str, Any]:
    """Measure the local engine on one core, then the cluster; raise `RuntimeError` if they write other bytes."""
    command, suffix = COMMANDS[name]
    one, other = source.with_name(f"local{suffix}"), source.with_name(f"ray{suffix}")
    local = asked(command, source, one, "local", 1, "")
    with watched() as taken:
        ray = asked(command, source, other, "ray", workers, address)
    ray["processor_seconds_of_the_cluster"] = round(sum(taken.values()), 2)
    if not filecmp.cmp(one, other, shallow=False):
        raise RuntimeError(f"{name}: the engines do not agree")
    return {"local_on_one_core": local, "ray": ray}


def compared(name: str, source: Path, short: Path, workers: int, address: str) -> dict[str, Any]:
    """Measure both engines on a long file and a short one; return all figures and the efficiency."""
    start, whole = (both_engines(name, path, workers, address) for path in (short, source))
    local, ray = (whole[engine]["seconds"] for engine in ("local_on_one_core", "ray"))
    local_start, ray_start = (start[engine]["seconds"] for engine in ("local_on_one_core", "ray"))
    return {
        **whole,
        "start": start,
        "efficiency": round((local - local_start) / (workers * (ray - ray_start)), 2),
        "efficiency_with_start": round(local / (workers * ray), 2),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isolates", type=int, default=1_500_000)
    isolates = parser.parse_args().isolates
    import polars as pl

    from sirena.whonet.synthetic import generate_hospital

    hospital = generate_hospital(min(DISTINCT, isolates), seed=2)
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        source, half, short = (Path(name, f"{part}.csv") for part in ("whole", "half", "short"))
        rows = pl.concat([hospital] * -(-isolates // DISTINCT)).head(isolates)
        rows.write_csv(source)
        rows.head(isolates // 2).write_csv(half)
        rows.head(SHORT).write_csv(short)
        del rows
        for workers in (1, 2):
            with machines(workers) as address:
                figures[str(workers)] = {}
                for command in COMMANDS:
                    found = figures[str(workers)][command] = compared(command, source, short, workers, address)
                    print(f"{workers} workers, {command}: {found}", flush=True)
                if workers == 2:
                    of_half = asked("reference", half, Path(name, "answer.csv"), "ray", 2, address)
    reference = figures["2"]["reference"]
    memory = {"half": of_half["peak_mib"], "whole": reference["ray"]["peak_mib"]}
    record(
        "cluster",
        {"isolates": isolates, "workers": figures, "peak_mib_of_the_command": memory},
        headline="; ".join(
            f"{name}: efficiency {figures['1'][name]['efficiency']} with one worker, "
            f"{figures['2'][name]['efficiency']} with two"
            for name in COMMANDS
        )
        + f", beside starting, which takes {reference['start']['ray']['seconds']} s, of the command alone "
        f"{reference['start']['local_on_one_core']['seconds']} s; the command that asks {memory['half']} MiB for half "
        f"the file, {memory['whole']} for all of it",
        peers=(
            Peer(
                "the local engine on one core",
                f"seconds, {isolates:,} isolates answered by two workers on two cores, starting included",
                reference["ray"]["seconds"],
                reference["local_on_one_core"]["seconds"],
                "same run",
                more_is_better=False,
            ),
        ),
    )


if __name__ == "__main__":
    main()
