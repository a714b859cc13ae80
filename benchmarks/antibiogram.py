"""The whole cumulative antibiogram of a hospital × 41 antimicrobials: seconds beyond reading, and memory.

    PYTHONPATH=src python benchmarks/antibiogram.py [--isolates 1000000] [--longest 4000000]

Bounds of the project: 1,000,000 isolates in under 10 s on two cores beyond reading, and memory that does not grow with
the length. Counted are the facts of the isolates (dates, species, digests of patients), the interpretation of
every column by guideline, expert rules, first isolates, alerts, the quality of the data, and the antibiogram of
everything; the seven further parts (ward, year …) are measured apart. Each length is counted in a process of its own,
as `sirena antibiogram` does it: one share of the patients after another.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from processes import peak_mib
from recording import record


def measure(path: Path, *, parted: bool) -> dict[str, Any]:
    """Count a file; return the time it took and the memory."""
    from sirena.guidelines.choice import choose_editions
    from sirena.guidelines.editions import Editions
    from sirena.stewardship.antibiogram import Request
    from sirena.stewardship.counting import count_file, open_to_count
    from sirena.stewardship.expert_rules import load_expert_rules
    from sirena.stewardship.strata import Stratum

    begun = time.perf_counter(), time.process_time()
    with open_to_count(path, folder=path.parent, today=date.today()) as to_count:
        read = time.perf_counter(), time.process_time()
        columns = sorted({column.model_column for column in to_count.file.mic_columns.values()})
        editions = choose_editions(Editions())
        tables = editions.tables(columns)
        counted = count_file(
            to_count,
            lambda column: tables.get(column.model_column),
            Request(by=tuple(Stratum) if parted else ()),
            source=f"reference · {editions.names_for(columns)}",
            rules=load_expert_rules(),
        )
    ended = time.perf_counter(), time.process_time()
    return {
        "isolates": counted.antibiogram.rows,
        "antimicrobials": len(columns),
        "cells": counted.antibiogram.cells.height,
        "seconds_reading": round(read[0] - begun[0], 2),
        "seconds_beyond_reading": round(ended[0] - read[0], 2),
        "processor_seconds_beyond_reading": round(ended[1] - read[1], 2),
        "peak_mib": peak_mib(),
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isolates", type=int, default=1_000_000)
    parser.add_argument("--longest", type=int, default=4_000_000, help="length at which memory is looked at again")
    parser.add_argument("--measure", type=Path, help="count this file, say what it took, and record nothing")
    parser.add_argument("--parted", action="store_true", help="with --measure, the seven further parts too")
    options = parser.parse_args()
    if options.measure is not None:
        print(json.dumps(measure(options.measure, parted=options.parted)))
        return
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, isolates in (("whole", options.isolates), ("longest", options.longest)):
            path = Path(folder) / f"{name}.parquet"
            # in a process of its own, or the peak of memory would be that of making the hospital
            make = ["synthesize", "-n", str(isolates), "--seed", "3", "-o", str(path)]
            subprocess.run([sys.executable, "-m", "sirena.cli", *make], check=True, stdout=subprocess.DEVNULL)
            found[name] = _apart(path)
            if name == "whole":
                found["with_seven_parts"] = _apart(path, "--parted")
    whole, parted, longest = found["whole"], found["with_seven_parts"], found["longest"]
    record(
        "antibiogram",
        found,
        headline=f"{whole['isolates']:,} isolates × {whole['antimicrobials']} antimicrobials in "
        f"{whole['seconds_beyond_reading']:.1f} s beyond reading, {parted['seconds_beyond_reading']:.1f} s with seven "
        f"parts more; peak {whole['peak_mib']:,} MiB, of {longest['isolates']:,} isolates {longest['peak_mib']:,} MiB",
    )


def _apart(path: Path, *further: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", str(path), *further]
    return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


if __name__ == "__main__":
    main()
