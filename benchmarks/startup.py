"""How long a command takes before it can answer: best and median of five processes (of libraries, two).

    PYTHONPATH=src python benchmarks/startup.py

Bounds: `sirena --help` 0.4 s, `sirena reference` on a file of two isolates 1.5 s. What heavy libraries cost to
import stands beside, because that is what the commands avoid until they need it.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from recording import Peer, record

_REPEATS = 5
_LIBRARY_REPEATS = 2
_SMALL = "ORGANISM,AMK_NM,CIP_NM\neco,<=2,1\nsau,4,0.5\n"


def seconds(command: list[str], repeats: int) -> dict[str, Any]:
    """Run a command some times."""
    taken = []
    for _ in range(repeats):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        taken.append(time.perf_counter() - begun)
    return {"best_seconds": round(min(taken), 3), "median_seconds": round(statistics.median(taken), 3)}


def main() -> None:
    """Run."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.csv"
        small.write_text(_SMALL, "utf-8")
        sirena = [sys.executable, "-m", "sirena.cli"]
        commands = {
            "sirena --help": [*sirena, "--help"],
            "sirena train --help": [*sirena, "train", "--help"],
            "sirena inspect (2 isolates)": [*sirena, "inspect", str(small)],
            "sirena reference (2 isolates)": [*sirena, "reference", str(small), "-o", f"{folder}/out.csv"],
            "python -c pass": [sys.executable, "-c", "pass"],
            "import polars": [sys.executable, "-c", "import polars"],
            "import mlflow": [sys.executable, "-W", "ignore", "-c", "import mlflow"],
            "import tensorflow": [sys.executable, "-c", "import tensorflow"],
            "mlflow --help": [sys.executable, "-W", "ignore", "-m", "mlflow", "--help"],
        }
        measured = {}
        for name, command in commands.items():
            measured[name] = seconds(command, _REPEATS if "sirena" in name else _LIBRARY_REPEATS)
            print(f"{measured[name]['best_seconds']:7.3f} s  {name}", flush=True)
    ours, theirs = measured["sirena --help"]["best_seconds"], measured["mlflow --help"]["best_seconds"]
    record(
        "startup",
        {"commands": measured},
        headline=f"`sirena --help` {ours:.2f} s; `sirena reference` of two isolates "
        f"{measured['sirena reference (2 isolates)']['best_seconds']:.2f} s (best of {_REPEATS})",
        peers=(Peer("mlflow --help", "seconds", ours, theirs, "same run", more_is_better=False),),
    )


if __name__ == "__main__":
    main()
