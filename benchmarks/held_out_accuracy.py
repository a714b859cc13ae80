"""Agreement with laboratories on real isolates no model has seen: `accuracy.py` on the shared file, recorded.

    PYTHONPATH=src python benchmarks/held_out_accuracy.py [--folds 5]

The isolates lie beside the project (``../shared``), not in it; where they are missing it says so and measures nothing.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import accuracy
from recording import Peer, record

FILE = Path(__file__).resolve().parents[2] / "shared" / "data" / "isolates" / "ncbi_clsi_isolates.csv.gz"
LOOK_UP = 0.9972
"""Agreement of a free look-up by (organism, comparator, MIC), which answers 98.68 % of the labelled results."""


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folds", type=int, default=5)
    folds = parser.parse_args().folds
    if not FILE.exists():
        print(f"skipped: {FILE} is missing; the real isolates lie beside the checkout")
        return
    with tempfile.TemporaryDirectory() as scratch:
        found = Path(scratch) / "accuracy.json"
        sys.argv = ["accuracy.py", str(FILE), "--folds", str(folds), "--json", str(found)]
        begun = time.perf_counter()
        accuracy.main()
        seconds = time.perf_counter() - begun
        result = json.loads(found.read_text("utf-8"))
    pooled = result["pooled"]
    agreement, answered = pooled["ca"]["share"], pooled["answered"]["share"]
    errors = "; ".join(
        f"{name} {pooled[key]['count']} of {pooled[key]['of']:,}" for name, key in (("VME", "vme"), ("ME", "me"))
    )
    record(
        "held_out_accuracy",
        {"file": FILE.name, "folds": folds, "seconds": round(seconds, 1), **result},
        headline=f"CA {agreement:.2%} answering {answered:.2%} of {pooled['labelled']:,} labels; {errors}",
        peers=(
            Peer(
                "free look-up",
                "disagreement where answered, %; it answers 98.68 %",
                round(100 * (1 - agreement), 3),
                round(100 * (1 - LOOK_UP), 3),
                "same isolates, earlier run",
                more_is_better=False,
            ),
        ),
    )


if __name__ == "__main__":
    main()
