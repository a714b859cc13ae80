"""Speed of `sirena reference`: results per second, beyond reading and writing the file.

    PYTHONPATH=src python benchmarks/reference_speed.py [--isolates 250000]

Answers one synthetic hospital with CLSI 2025 at a tenth and at full length: compiling the edition's tables and
answering every MIC column of a frame in memory. The peer is `as.sir()` of R's package AMR on five of these columns
and 10,000 of these isolates, in the same run where R has the package. Where it has not, the figure is one of AMR 3.0.0
on a machine of the same kind: 5 drugs × 10,000 isolates in 30.5 s, about 1,600 results a second.
"""

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl
from recording import Peer, record

from sirena.domain.language import Language
from sirena.domain.test_column import parse_test_column
from sirena.guidelines.editions import load_edition
from sirena.guidelines.interpreter import compile_tables
from sirena.panel.frame import Isolates, interpret_frame
from sirena.whonet.synthetic import generate_hospital

EARLIER = 1_600
"""Results a second of AMR 3.0.0, measured once on a machine of this kind."""
PEER_DRUGS = ("AMK", "CIP", "GEN", "CRO", "MEM")
PEER_ISOLATES = 10_000
_DISTINCT = 25_000


def hospital(isolates: int) -> Isolates:
    """Return a hospital with every MIC column filled: rows of a smaller one repeated, each column shifted differently.

    Shifting the columns makes the rows' combinations differ; filling the empty cells makes every cell a result.
    """
    frame = generate_hospital(_DISTINCT, seed=1)
    columns = {name: parsed for name in frame.columns if (parsed := parse_test_column(name)) and parsed.is_mic}
    repeats = -(-isolates // _DISTINCT)
    filled = [
        pl.concat(
            [frame[name].cast(pl.String).fill_null(strategy="forward").fill_null("1").shuffle(seed)] * repeats
        ).head(isolates)
        for seed, name in enumerate(["ORGANISM", *columns])
    ]
    return Isolates(pl.DataFrame(filled), "ORGANISM", columns, {})


def measure(isolates: Isolates, basis: bool) -> dict[str, Any]:
    """Return the figures of one run."""
    answered = 0

    def count(tally: Any) -> None:
        nonlocal answered
        answered += int(tally.counts[1:].sum())

    began = time.perf_counter()
    tables = compile_tables(load_edition("CLSI 2026"), {column.drug for column in isolates.test_columns.values()})
    compiled = time.perf_counter()
    interpret_frame(
        isolates, lambda column: tables.get(column.drug), basis=Language.ENGLISH if basis else None, progress=count
    )
    ended = time.perf_counter()
    rate = answered / (ended - began)
    return {
        "isolates": isolates.frame.height,
        "results": answered,
        "with_basis": basis,
        "compile_seconds": round(compiled - began, 3),
        "answer_seconds": round(ended - compiled, 3),
        "results_per_second": round(rate),
    }


def peer(isolates: Isolates, ours: int) -> Peer:
    """Return R's figure beside ours, both in results a second: of this run where R has AMR, else the earlier one."""
    what = f"{len(PEER_DRUGS)} drugs × {PEER_ISOLATES:,} isolates"
    rscript = shutil.which("Rscript")
    if not rscript or subprocess.run([rscript, "-e", "library(AMR)"], capture_output=True).returncode:
        return Peer(
            "R's AMR 3.0.0 as.sir()",
            "results a second",
            ours,
            EARLIER,
            f"{what}, earlier run, machine of this kind; R with AMR is not on this one",
        )
    columns = {column.drug: name for name, column in isolates.test_columns.items()}
    table = isolates.frame.head(PEER_ISOLATES).select(
        "ORGANISM", *(pl.col(columns[drug]).alias(drug) for drug in PEER_DRUGS)
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "isolates.csv"
        table.write_csv(file)
        script = Path(__file__).with_name("as_sir.R")
        answer = subprocess.run([rscript, script, file], capture_output=True, text=True, check=True).stdout
    version, edition, seconds = answer.split("\t")
    theirs = len(PEER_DRUGS) * PEER_ISOLATES / float(seconds)
    return Peer(f"R's AMR {version} as.sir(), {edition}", "results a second", ours, round(theirs), f"{what}, same run")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isolates", type=int, default=250_000)
    isolates: int = parser.parse_args().isolates
    whole = hospital(isolates)
    tenth = Isolates(whole.frame.head(isolates // 10), whole.organism_column, whole.test_columns, {})
    runs = [measure(part, basis) for part in (tenth, whole) for basis in (False, True)]
    whole_run = runs[2]
    growth = whole_run["answer_seconds"] / runs[0]["answer_seconds"]
    seconds = whole_run["compile_seconds"] + whole_run["answer_seconds"]
    record(
        "reference_speed",
        {"runs": runs, "growth_for_ten_times_the_rows": round(growth, 1)},
        headline=f"{whole_run['results']:,} results in {seconds:.2f} s beyond reading the file",
        peers=(peer(whole, whole_run["results_per_second"]),),
    )


if __name__ == "__main__":
    main()
