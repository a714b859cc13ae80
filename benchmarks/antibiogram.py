"""The whole cumulative antibiogram of a hospital × 41 antimicrobials: seconds beyond reading, and peak memory.

    PYTHONPATH=src python benchmarks/antibiogram.py [--isolates 1000000]

The bound the project sets: 1,000,000 isolates in under 10 s on two cores beyond reading. Counted are the facts of the
isolates (dates, species, digests of patients), the interpretation of every column by guideline, expert rules, first
isolates, and the antibiogram of everything; the seven further parts (ward, year …) are measured apart.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from processes import peak_mib
from recording import record


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isolates", type=int, default=1_000_000)
    options = parser.parse_args()
    from sirena.guidelines.choice import choose_editions
    from sirena.guidelines.editions import Editions
    from sirena.panel.frame import Isolates
    from sirena.stewardship.antibiogram import Request, count_antibiogram
    from sirena.stewardship.counting import read_to_count
    from sirena.stewardship.expert import report_results
    from sirena.stewardship.expert_rules import load_expert_rules
    from sirena.stewardship.isolate_facts import IsolateFacts
    from sirena.stewardship.isolates import read_isolates
    from sirena.stewardship.results import interpret_results
    from sirena.stewardship.strata import Stratum

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hospital.parquet"
        # in a process of its own, or the peak of memory would be that of making the hospital
        make = ["synthesize", "-n", str(options.isolates), "--seed", "3", "-o", str(path)]
        subprocess.run([sys.executable, "-m", "sirena.cli", *make], check=True, stdout=subprocess.DEVNULL)
        begun = time.perf_counter()
        file = read_to_count(path, folder=Path(folder))
        reading = round(time.perf_counter() - begun, 2)
    columns = sorted({column.model_column for column in file.mic_columns.values()})
    editions = choose_editions(Editions())
    tables = editions.tables(columns)
    source = f"reference · {editions.named(columns)}"
    before = peak_mib()
    moments = [(time.perf_counter(), time.process_time())]
    facts = read_isolates(file, date.today())
    moments.append((time.perf_counter(), time.process_time()))
    rows = Isolates.of_file(file)
    answered = interpret_results(rows, lambda column: tables.get(column.model_column))
    moments.append((time.perf_counter(), time.process_time()))
    known = IsolateFacts.of_results(rows, answered, lambda column: tables.get(column.model_column))
    results = report_results(answered, known, load_expert_rules()).results
    moments.append((time.perf_counter(), time.process_time()))
    whole = count_antibiogram(facts, results, Request(), source=source)
    moments.append((time.perf_counter(), time.process_time()))
    peak = peak_mib()
    parted = count_antibiogram(facts, results, Request(by=tuple(Stratum)), source=source)
    moments.append((time.perf_counter(), time.process_time()))
    names = ("facts", "interpretation", "expert_rules", "antibiogram", "antibiogram_with_seven_parts")
    spans = list(zip(names, moments, moments[1:], strict=False))
    seconds = {name: round(after[0] - begun[0], 2) for name, begun, after in spans}
    processor = {name: round(after[1] - begun[1], 2) for name, begun, after in spans}
    total = round(moments[4][0] - moments[0][0], 2)
    record(
        "antibiogram",
        {
            "isolates": options.isolates,
            "antimicrobials": len(columns),
            "seconds": seconds,
            "processor_seconds": processor,
            "seconds_whole": total,
            "seconds_reading": reading,
            "cells": whole.cells.height,
            "cells_with_parts": parted.cells.height,
            "peak_mib": peak,
            "mib_before": before,
        },
        headline=f"{options.isolates:,} isolates × {len(columns)} antimicrobials in {total:.1f} s beyond reading, "
        f"{seconds['antibiogram_with_seven_parts']:.1f} s with seven parts more; peak {peak:,} MiB",
    )


if __name__ == "__main__":
    main()
