"""Reading and writing 50,000 isolates × 41 antimicrobials in each format: seconds and peak memory.

    PYTHONPATH=src python benchmarks/files.py [--isolates 50000]

Each operation runs in a process of its own, whose peak memory is reported, with the memory before it begins (Polars
imported; for writing, the table read from Parquet). The peer reads the same file in the same
run, every cell as text: pandas where it can, else the `dbf` package on a file of 2,000 isolates, as seconds per row.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from processes import peak_mib
from recording import Peer, record

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".xlsx", ".parquet", ".sqlite", ".dbf")
_DBF_ROWS = 2_000


def timed(operation: str, file: Path, table: Path) -> dict[str, Any]:
    """Do and time one operation; runs in a process of its own."""
    from sirena.whonet.reading import read_file
    from sirena.whonet.writing import write_file

    if operation == "write":
        frame = read_file(table).frame
        before, begun = peak_mib(), time.perf_counter()
        write_file(frame, file)
        rows = frame.height
    elif operation == "read":
        before, begun = peak_mib(), time.perf_counter()
        rows = read_file(file).frame.height
    else:
        before, begun, rows = _by_peer(file)
    seconds = time.perf_counter() - begun
    return {"seconds": round(seconds, 3), "rows": rows, "peak_mib": peak_mib(), "mib_before": before}


def _by_peer(file: Path) -> tuple[int, float, int]:
    if file.suffix == ".dbf":
        import dbf

        before, begun = peak_mib(), time.perf_counter()
        with dbf.Table(str(file), codepage="cp1252") as table:
            return before, begun, len([tuple(row) for row in table])
    import sqlite3

    import pandas as pd

    before, begun = peak_mib(), time.perf_counter()
    if file.suffix == ".parquet":
        frame = pd.read_parquet(file)
    elif file.suffix == ".sqlite":
        frame = pd.read_sql("SELECT * FROM Isolates", sqlite3.connect(file))
    else:
        frame = pd.read_csv(file, dtype=str, sep="\t" if file.suffix == ".tsv" else ",")
    return before, begun, len(frame)


def child(operation: str, file: Path, table: Path) -> dict[str, Any]:
    """Run `timed` in a process of its own."""
    command = [sys.executable, "-W", "ignore", __file__, "--child", operation, str(file), str(table)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: dict[str, Any] = json.loads(ended.stdout)
    print(f"{file.name:14s} {operation:6s} {figures['seconds']:8.2f} s  {figures['peak_mib']:6d} MiB", flush=True)
    return figures


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isolates", type=int, default=50_000)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        operation, file, table = options.child
        print(json.dumps(timed(operation, Path(file), Path(table))))
        return
    from sirena.whonet.synthetic import generate_hospital
    from sirena.whonet.writing import write_file

    measured: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.parquet"
        frame = generate_hospital(options.isolates, seed=2)
        write_file(frame, table)
        for suffix in SUFFIXES:
            file = Path(folder) / f"hospital{suffix}"
            measured[suffix] = {"write": child("write", file, table), "read": child("read", file, table)}
            measured[suffix]["file_mib"] = round(file.stat().st_size / 2**20, 1)
            if suffix == ".dbf":
                file = Path(folder) / "short.dbf"
                write_file(frame.head(_DBF_ROWS), file)
            if suffix != ".xlsx":
                measured[suffix]["peer_read"] = child("peer", file, table)
    reads = ", ".join(f"{suffix} {part['read']['seconds']:.1f}" for suffix, part in measured.items())
    writes = ", ".join(f"{suffix} {part['write']['seconds']:.1f}" for suffix, part in measured.items())

    def peer(suffix: str, name: str) -> Peer:
        ours, theirs = measured[suffix]["read"], measured[suffix]["peer_read"]
        mine, others = (round(1e6 * figures["seconds"] / figures["rows"], 2) for figures in (ours, theirs))
        return Peer(name, f"microseconds a row read, {suffix}", mine, others, "same run", more_is_better=False)

    record(
        "files",
        {"isolates": options.isolates, "columns": frame.width, "formats": measured},
        headline=f"{options.isolates:,} isolates, seconds to read: {reads}; to write: {writes}",
        peers=(
            peer(".csv", "pandas"),
            peer(".parquet", "pandas"),
            peer(".sqlite", "pandas"),
            peer(".dbf", "the dbf package"),
        ),
    )


if __name__ == "__main__":
    main()
