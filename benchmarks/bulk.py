"""A long file answered by `sirena reference`, compared with Polars reading that file and writing the same answer.

    PYTHONPATH=src python benchmarks/bulk.py [--isolates 100000 1000000] [--formats .csv .parquet .arrow] [--pairs 5]

With `--command interpret` the active release of `SIRENA_HOME` answers instead, and nothing is recorded.

The bound: at most 1.5 times Polars' time, and less than 1 GB whatever the length. Polars scans the same file, every
cell as text, adds the command's answers as columns, which it maps from an Arrow file as enumerations, and sinks the
same table; it looks up nothing and decides nothing about a column. The benchmark checks that the two tables are equal.
The command reads the file as text of unknown encoding, delimiter and quirks, decides what its columns are, compiles the
edition's tables, and answers. Both are processes of their own, started anew, Python and imports included; Sirena's
modules are compiled beforehand, as in an installed package. They run in turn, some pairs of them, and a figure is the
median over the pairs; processor seconds are reported too, since others may use the machine.
"""

import argparse
import compileall
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from processes import measured
from recording import Peer, record

DISTINCT = 100_000
"""Isolates generated; a longer file repeats them."""
SCAN = """
import sys
import polars as pl
def scan(path):
    if path.endswith(".arrow"):
        return pl.scan_ipc(path)
    return pl.scan_parquet(path) if path.endswith(".parquet") else pl.scan_csv(path, infer_schema=False)
"""
LETTERS = (
    SCAN
    + """
source, answer, letters = sys.argv[1:]
frame = scan(answer).select(pl.exclude(scan(source).collect_schema().names()))
texts = frame.select(pl.all().unique().drop_nulls().implode()).collect(engine="streaming")
frame.select(pl.col(column.name).cast(pl.Enum(column[0])) for column in texts).sink_ipc(letters)
"""
)
PEER = (
    SCAN
    + """
source, letters, target = sys.argv[1:]
file, answers = scan(source), pl.scan_ipc(letters)
added, columns = answers.collect_schema().names(), []
for name in file.collect_schema().names():
    columns += [name, *(one for one in added if one in (f"Eti_{name}", f"Eti_{name}_mark"))]
columns += [name for name in added if name not in columns]
both = pl.concat([file, answers], how="horizontal").select(columns)
if target.endswith(".parquet"):
    both.sink_parquet(target)
elif target.endswith(".arrow"):
    # the command writes texts, as pandas and R do, and so does the peer
    both.cast(pl.String).sink_ipc(target, compression="lz4", compat_level=pl.CompatLevel.oldest())
else:
    both.sink_csv(target, compression="gzip" if target.endswith(".gz") else "uncompressed")
"""
)
COMPARE = (
    SCAN
    + """
one, other = (scan(path) for path in sys.argv[1:])
assert not sys.argv[1].endswith(".arrow") or one.collect_schema() == other.collect_schema()
one, other = (table.cast(pl.String) for table in (one, other))
names = one.collect_schema().names()
assert names == other.collect_schema().names()
lengths = [frame.select(pl.len()).collect().item() for frame in (one, other)]
both = pl.concat([one, other.rename({name: f"{name} of the other" for name in names})], how="horizontal")
differ = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name} of the other")) for name in names).any()
sys.exit(lengths[0] != lengths[1] or both.select(differ).collect(engine="streaming").item())
"""
)


def run(script: str, *paths: Path) -> dict[str, Any]:
    """Run a script of Polars in a process of its own, so that its memory is measured alone."""
    return measured([sys.executable, "-c", script, *map(str, paths)])


def compared(source: Path, folder: Path, command: str, pairs: int) -> dict[str, Any]:
    """Measure the command and Polars on one file, in turn.

    Args:
        source: the file.
        folder: folder for the answers.
        command: command of Sirena.
        pairs: how many times each of them runs.
    """
    suffix = "".join(source.suffixes)
    target, letters, other = folder / f"answer{suffix}", folder / "letters.arrow", folder / f"other{suffix}"
    ours, theirs = [], []
    for number in range(pairs):
        ours.append(measured([sys.executable, "-m", "sirena.cli", command, str(source), "-o", str(target)]))
        if number == 0:
            run(LETTERS, source, target, letters)
        theirs.append(run(PEER, source, letters, other))
    run(COMPARE, target, other)
    sizes = [round(path.stat().st_size / 2**20, 1) for path in (source, target, other)]
    for path in (target, letters, other):
        path.unlink()
    figures = {
        "file_mib": sizes[0],
        "answer_mib": sizes[1],
        "peer_answer_mib": sizes[2],
        "pairs": pairs,
        "sirena": medians(ours),
        "polars": medians(theirs),
        "times_the_peer": ratio(ours, theirs, "seconds"),
        "times_the_peer_in_processor_time": ratio(ours, theirs, "processor_seconds"),
    }
    print(f"{source.name}: {figures}", flush=True)
    return figures


def medians(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the median of each figure."""
    return {name: round(median(run[name] for run in runs), 2) for name in runs[0]}


def ratio(ours: list[dict[str, Any]], theirs: list[dict[str, Any]], figure: str) -> float:
    """Return the median, over the pairs, of our figure divided by theirs."""
    ratios = [float(mine[figure] / other[figure]) for mine, other in zip(ours, theirs, strict=True)]
    return round(median(ratios), 2)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--isolates",
        type=int,
        nargs="+",
        default=[100_000, 1_000_000],
        help="10000000 is as well possible, with 15 GB of disk and some minutes",
    )
    parser.add_argument("--formats", nargs="+", default=[".csv", ".csv.gz", ".parquet", ".arrow"])
    parser.add_argument("--command", choices=("reference", "interpret"), default="reference")
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    import polars as pl

    import sirena
    from sirena.whonet.synthetic import generate_hospital

    compileall.compile_dir(Path(sirena.__file__).parent, quiet=1)
    hospital = generate_hospital(DISTINCT, seed=2)
    figures: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for isolates in options.isolates:
            for suffix in options.formats:
                source = folder / f"{isolates}{suffix}"
                rows = pl.concat([hospital.lazy()] * -(-isolates // DISTINCT)).head(isolates)
                if suffix == ".parquet":
                    rows.sink_parquet(source)
                elif suffix == ".arrow":
                    rows.sink_ipc(source, compression="lz4", compat_level=pl.CompatLevel.oldest())
                else:
                    rows.sink_csv(source, compression="gzip" if suffix == ".csv.gz" else "uncompressed")
                figures[source.name] = compared(source, folder, options.command, options.pairs)
                source.unlink()
    if options.command != "reference":
        return
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
                "Polars, reading the file and writing the answer",
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
