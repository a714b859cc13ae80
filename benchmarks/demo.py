"""The whole chain, `sirena demo`: wall seconds of each step, as the command prints them.

    PYTHONPATH=src python benchmarks/demo.py [--isolates 5000]

Installing is not included. Bound on 2 cores: under 60 s for all of it.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

from recording import record

_STEP = re.compile(r"^\[\d+\] (?P<step>.+): (?P<seconds>[\d.]+) s$", re.MULTILINE)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isolates", type=int, default=5_000)
    isolates: int = parser.parse_args().isolates
    with tempfile.TemporaryDirectory() as home:
        begun = time.perf_counter()
        ended = subprocess.run(
            [sys.executable, "-m", "sirena.cli", "demo", "--isolates", str(isolates)],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "SIRENA_HOME": home},
        )
        total = time.perf_counter() - begun
    if ended.returncode:
        sys.exit(f"sirena demo ended with {ended.returncode}:\n{ended.stderr[-2000:]}")
    steps = {match["step"]: float(match["seconds"]) for match in _STEP.finditer(ended.stderr)}
    learning = next(seconds for step, seconds in steps.items() if step.startswith("training"))
    record(
        "demo",
        {"isolates": isolates, "total_seconds": round(total, 1), "steps": steps},
        headline=f"{isolates:,} isolates: {total:.0f} s, of which training, certifying, registering {learning:.0f} s",
    )


if __name__ == "__main__":
    main()
