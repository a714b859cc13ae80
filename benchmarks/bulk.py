"""A long file answered by `sirena reference`, beside Polars reading that file and writing as much, streaming.

    PYTHONPATH=src python benchmarks/bulk.py [--isolates 100000 1000000] [--formats .csv .parquet]

The bound: at most 1.5 times Polars' time, and less than 1 GB whatever the length. Polars scans the same file, every
cell as text, puts one letter after each filled test and sinks; it looks nothing up and decides nothing over a column.
The command reads the file as text of unknown encoding, delimiter and quirks, decides what its columns are, compiles the
edition's tables, and answers. Both are processes of their own, started anew, Python and imports included; processor
seconds stand beside, since others may use the machine.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from recording import Peer, record

DISTINCT = 100_000
"""Isolates generated; a longer file repeats them."""
PEER = """
import sys
import polars as pl
source, target = sys.argv[1:]
frame = pl.scan_parquet(source) if source.endswith(".parquet") else pl.scan_csv(source, infer_schema=False)
columns = []
for name in frame.collect_schema().names():
    columns.append(pl.col(name))
    if name.endswith("_NM"):
        columns.append(pl.when(pl.col(name).is_not_null()).then(pl.lit("S")).alias(f"Eti_{name}"))
frame = frame.select(columns)
frame.sink_parquet(target) if target.endswith(".parquet") else frame.sink_csv(target)
"""


def measured(command: list[str]) -> dict[str, Any]:
    """Run a command; return its seconds, processor seconds and peak memory."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[:4]} ended with {process.returncode}")
    return {
        "seconds": round(seconds, 2),
        "processor_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mib": usage.ru_maxrss // 1024,
    }


def pair(source: Path, folder: Path) -> dict[str, Any]:
    """Measure the command and its peer on one file."""
    target = folder / f"answer{source.suffix}"
    ours = measured([sys.executable, "-m", "sirena.cli", "reference", str(source), "-o", str(target)])
    written = target.stat().st_size
    theirs = measured([sys.executable, "-c", PEER, str(source), str(target)])
    target.unlink()
    ratio = ours["seconds"] / theirs["seconds"]
    print(f"{source.name}: {ours} beside {theirs}, {ratio:.2f} times", flush=True)
    return {
        "file_mib": round(source.stat().st_size / 2**20, 1),
        "answer_mib": round(written / 2**20, 1),
        "sirena": ours,
        "polars": theirs,
        "times_the_peer": round(ratio, 2),
    }


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isolates", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--formats", nargs="+", default=[".csv", ".parquet"])
    options = parser.parse_args()
    import polars as pl

    from sirena.whonet.synthetic import generate_hospital

    hospital = generate_hospital(DISTINCT, seed=2)
    figures: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for isolates in options.isolates:
            for suffix in options.formats:
                source = folder / f"{isolates}{suffix}"
                rows = pl.concat([hospital] * -(-isolates // DISTINCT)).head(isolates)
                rows.write_parquet(source) if suffix == ".parquet" else rows.write_csv(source)
                del rows
                figures[source.name] = pair(source, folder)
                source.unlink()
    longest = figures[f"{max(options.isolates)}{options.formats[0]}"]
    record(
        "bulk",
        {"columns": hospital.width, "files": figures},
        headline="; ".join(
            f"{name}: {one['sirena']['seconds']:.1f} s, {one['sirena']['peak_mib']} MiB, {one['times_the_peer']} × "
            "Polars' time"
            for name, one in figures.items()
        ),
        peers=(
            Peer(
                "Polars, reading the file and writing as much",
                f"seconds, {max(options.isolates):,} isolates, {options.formats[0]}",
                longest["sirena"]["seconds"],
                longest["polars"]["seconds"],
                "same run",
                more_is_better=False,
            ),
        ),
    )


if __name__ == "__main__":
    main()
