"""Seconds until a command can answer: best and median of five processes (of two, for imports of libraries).

    PYTHONPATH=src python benchmarks/startup.py

Bounds: `sirena --help` 0.4 s, `sirena ask` 0.5 s, `sirena interpret` of one row 1 s, `sirena reference` on a file of
two isolates 1.5 s, `sirena promote` of one model 2 s, by an MLflow server, as every installation but one person's has
it. The import of heavy libraries is measured too, since the commands avoid it until they need it;
`promote` cannot do without MLflow's client, nor, without a server, without MLflow's store of SQLite. One model is
trained, put into production and made a release for it, which is not timed.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from recording import Peer, record
from servers import serving

_REPEATS = 5
_LIBRARY_REPEATS = 2
_SMALL = "ORGANISM,AMK_NM,CIP_NM\neco,<=2,1\nsau,4,0.5\n"
_BY_SERVER = "sirena promote (1 model, an MLflow server)"
_MLFLOW_SERVER = [sys.executable, "-W", "ignore", "-m", "mlflow", "server", "--port", "PORT", "--workers", "1"]
_ONE = "ORGANISM,AMK_NM\neco,<=2\n"


def make_release(sirena: list[str], file: Path) -> None:
    """Train one model, and make a release of it the active one."""
    for arguments in (
        ["train", str(file), "--drugs", "AMK"],
        ["promote", "modelo_AMK_NM/1", "--to", "staging"],
        ["promote", "modelo_AMK_NM/1", "--to", "production", "--override", "benchmark"],
        ["release", "create"],
        ["release", "activate", "panel_SIR/1", "--override", "benchmark"],
    ):
        subprocess.run([*sirena, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def seconds(command: list[str], repeats: int, before: list[str] | None = None) -> dict[str, Any]:
    """Run and time a command some times, each time after another command that is not timed."""
    taken = []
    for _ in range(repeats):
        if before is not None:
            subprocess.run(before, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        taken.append(time.perf_counter() - begun)
    return {"best_seconds": round(min(taken), 3), "median_seconds": round(statistics.median(taken), 3)}


def main() -> None:
    """Run the benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SIRENA_HOME"] = f"{folder}/home"
        small, one = Path(folder) / "small.csv", Path(folder) / "one.csv"
        small.write_text(_SMALL, "utf-8")
        one.write_text(_ONE, "utf-8")
        sirena = [sys.executable, "-m", "sirena.cli"]
        make_release(sirena, small)
        commands = {
            "sirena --help": [*sirena, "--help"],
            "sirena train --help": [*sirena, "train", "--help"],
            "sirena inspect (2 isolates)": [*sirena, "inspect", str(small)],
            "sirena reference (2 isolates)": [*sirena, "reference", str(small), "-o", f"{folder}/out.csv"],
            "sirena ask": [*sirena, "ask", "eco", "AMK<=2"],
            "sirena interpret (1 isolate)": [*sirena, "interpret", str(one), "-o", f"{folder}/one.out.csv"],
            "sirena promote (1 model)": [*sirena, "promote", "modelo_AMK_NM/1", "--to", "staging"],
            "python -c pass": [sys.executable, "-c", "pass"],
            "import polars": [sys.executable, "-c", "import polars"],
            "import mlflow": [sys.executable, "-W", "ignore", "-c", "import mlflow"],
            "import tensorflow": [sys.executable, "-c", "import tensorflow"],
            "import mlflow, its store of SQLite": [
                sys.executable,
                "-W",
                "ignore",
                "-c",
                "import mlflow.store.tracking.sqlalchemy_store",
            ],
            "mlflow --help": [sys.executable, "-W", "ignore", "-m", "mlflow", "--help"],
        }
        measured = {}
        # what stands in a stage already is left, which is no promotion
        back = [*sirena, "promote", "modelo_AMK_NM/1", "--to", "none"]
        for name, command in commands.items():
            repeats = _REPEATS if "sirena" in name else _LIBRARY_REPEATS
            measured[name] = seconds(command, repeats, back if "promote" in name else None)
            print(f"{measured[name]['best_seconds']:7.3f} s  {name}", flush=True)
        with serving(
            [*_MLFLOW_SERVER, "--backend-store-uri", f"sqlite:///{folder}/home/mlflow.db"],
            "/health",
            dict(os.environ),
            Path(folder) / "mlflow.log",
        ) as server:
            os.environ["MLFLOW_TRACKING_URI"] = f"http://127.0.0.1:{server.port}"
            measured[_BY_SERVER] = seconds(commands["sirena promote (1 model)"], _REPEATS, back)
            print(f"{measured[_BY_SERVER]['best_seconds']:7.3f} s  {_BY_SERVER}", flush=True)
    ours, theirs = measured["sirena --help"]["best_seconds"], measured["mlflow --help"]["best_seconds"]
    record(
        "startup",
        {"commands": measured},
        headline=f"`sirena --help` {ours:.2f} s; `sirena reference` of two isolates "
        f"{measured['sirena reference (2 isolates)']['best_seconds']:.2f} s; `ask` "
        f"{measured['sirena ask']['best_seconds']:.2f} s; `interpret` of one isolate "
        f"{measured['sirena interpret (1 isolate)']['best_seconds']:.2f} s; `promote` of one model "
        f"{measured[_BY_SERVER]['best_seconds']:.2f} s by an MLflow server, "
        f"{measured['sirena promote (1 model)']['best_seconds']:.2f} s without one (best of {_REPEATS})",
        peers=(Peer("mlflow --help", "seconds", ours, theirs, "same run", more_is_better=False),),
    )


if __name__ == "__main__":
    main()
