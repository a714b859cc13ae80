"""A long file answered and counted on a Ray cluster, compared with the local engine on one core.

    PYTHONPATH=src python benchmarks/cluster.py [--isolates 1500000]

The bounds: efficiency of at least 0.8 with one worker and with two, and memory of the command that does not grow with
the file. The efficiency of N workers is the seconds of the local engine on one core over N times those of the cluster
on N cores, for the same file. On these N cores run the workers, the cluster's own processes and the command that reads,
joins and writes, so all that a cluster costs counts; on machines of their own the workers would have their cores to
themselves, and a network between them. So it is once more measured with one worker on one core, the cluster's own
processes beside it, and the command on another; two workers would need a third. The affinity of processes holds all to
their cores. Each worker is a machine of its own, a raylet.

The limit of the machine is told too: the local engine twice at the same time, each on a core of its own. Cores that are
two threads of one have less than twice its speed, and no cluster has more.

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
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from processes import measured, processor_seconds
from recording import Peer, record

DISTINCT = 100_000
"""Isolates generated; a longer file repeats them."""
SHORT = 1_000
"""Isolates of the file by which starting is measured."""
PLACES = {"1": (1, [0]), "2": (2, [0, 1]), "1, the command on another core": (1, [1])}
"""Number of workers, which have the first cores, and the cores of the command that asks them."""
COMMANDS = {"reference": ("reference", ".csv"), "antibiogram": ("antibiogram", ".csv")}
"""What is asked, and the suffix of what is written."""


def asked(name: str, source: Path, target: Path, engine: str, cores: Collection[int], address: str) -> dict[str, Any]:
    """Run a command on some cores; return its seconds, and processor seconds and peak memory of its own process."""
    by = ["--reference"] if name == "antibiogram" else []
    return measured(
        [sys.executable, "-m", "sirena.cli", name, str(source), "-o", str(target), *by, "--engine", engine],
        {**os.environ, "RAY_ADDRESS": address},
        cores,
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


def both_engines(name: str, source: Path, cores: Collection[int], address: str) -> dict[str, Any]:
    """Measure the local engine on one core, then the cluster; raise `RuntimeError` if they write other bytes."""
    command, suffix = COMMANDS[name]
    one, other = source.with_name(f"local{suffix}"), source.with_name(f"ray{suffix}")
    local = asked(command, source, one, "local", [0], "")
    with watched() as taken:
        ray = asked(command, source, other, "ray", cores, address)
    ray["processor_seconds_of_the_cluster"] = round(sum(taken.values()), 2)
    if not filecmp.cmp(one, other, shallow=False):
        raise RuntimeError(f"{name}: the engines do not agree")
    return {"local_on_one_core": local, "ray": ray}


def efficiency_of_the_machine(name: str, source: Path) -> float:
    """Return how fast the local engine is on one core while another runs on the other, in parts of alone."""
    command, suffix = COMMANDS[name]

    def seconds(core: int) -> float:
        target = source.with_name(f"local{core}{suffix}")
        return float(asked(command, source, target, "local", [core], "")["seconds"])

    alone = seconds(0)
    with ThreadPoolExecutor() as both:
        return round(2 * alone / sum(both.map(seconds, (0, 1))), 2)


def compared(
    name: str, source: Path, short: Path, workers: int, cores: Collection[int], address: str
) -> dict[str, Any]:
    """Measure both engines on a long file and a short one; return all figures and the efficiency.

    Args:
        name: of the command.
        source: the long file.
        short: the short file.
        workers: number of workers of the cluster.
        cores: the cores of the command that asks the cluster.
        address: of the cluster.
    """
    start, whole = (both_engines(name, path, cores, address) for path in (short, source))
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
        limits = {command: efficiency_of_the_machine(command, source) for command in COMMANDS}
        print(f"limits: {limits}", flush=True)
        for place, (workers, cores) in PLACES.items():
            with machines(workers) as address:
                figures[place] = {}
                for command in COMMANDS:
                    found = figures[place][command] = compared(command, source, short, workers, cores, address)
                    print(f"{place}, {command}: {found}", flush=True)
                if workers == 2:
                    of_half = asked("reference", half, Path(name, "answer.csv"), "ray", cores, address)
    reference = figures["2"]["reference"]
    memory = {"half": of_half["peak_mib"], "whole": reference["ray"]["peak_mib"]}
    record(
        "cluster",
        {"isolates": isolates, "workers": figures, "limits_with_two": limits, "peak_mib_of_the_command": memory},
        headline="; ".join(
            f"{name}: efficiency {figures['1'][name]['efficiency']} with one worker, "
            f"{figures['2'][name]['efficiency']} with two, "
            f"{figures['1, the command on another core'][name]['efficiency']} with one and the command on another "
            f"core, the machine's own limit with two {limits[name]}"
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
