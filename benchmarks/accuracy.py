"""Agreement with a laboratory's labels on isolates that a model has not seen: cross-validation by isolate.

    PYTHONPATH=src python benchmarks/accuracy.py [FILE] [--folds 5] [--seed 0] [--json OUT]

Each fold's networks are trained on the other folds' isolates, with the default settings. Prints categorical
agreement, answered share and very major and major errors, pooled, per drug and per organism. Without FILE it takes
the real isolates of the folder ``../shared``, which is not part of the repository, and writes the pooled figures to
``results/accuracy.json``; without that folder it says so and measures nothing.
"""

import argparse
import json
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
from recording import Peer, record

from sirena.training.evaluation import AgreementCounts, Evaluation, answered_cells, summarise
from sirena.training.evidence import Evidence, LabelSource, collect_evidence
from sirena.training.fitting import TrainedModel, train_models
from sirena.whonet.reading import read_file

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "isolates" / "ncbi_clsi_isolates.csv.gz"
LOOK_UP_DISAGREES = 0.28
"""Per cent of its answers in which a look-up by (organism, comparator, MIC) differs from the label."""


def cross_validate(evidence: Evidence, folds: int, seed: int) -> Evaluation:
    """For each fold, train on all other folds, and answer its isolates."""
    isolates = evidence.rows["isolate"].unique().sort()
    fold = pl.Series(np.random.default_rng(seed).integers(0, folds, len(isolates)))
    parts = []
    for number in range(folds):
        started = time.perf_counter()
        training = evidence.of_isolates(isolates.filter(fold != number))
        tables = {model.column: model.table for model in train_models(training) if isinstance(model, TrainedModel)}
        parts.append(answered_cells(tables, evidence.of_isolates(isolates.filter(fold == number)).rows))
        seconds = time.perf_counter() - started
        found = line(summarise(parts[-1:]).pooled_counts)
        print(f"fold {number + 1} of {folds}: {len(tables)} networks in {seconds:.1f} s; {found}")
    return summarise(parts)


def line(counts: AgreementCounts) -> str:
    """Print one line of figures."""
    return (
        f"n {counts.labelled_results:6d}  answered {counts.answered_rate.share:8.3%}  "
        f"CA {counts.categorical_agreement.share:8.3%}  VME {counts.very_major_errors}  ME {counts.major_errors}"
    )


def report(title: str, groups: Iterable[tuple[str, AgreementCounts]]) -> None:
    """Print the table."""
    print(f"\n{title}")
    for name, counts in groups:
        print(f"{name:8s} {line(counts)}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="write all figures there")
    arguments = parser.parse_args()
    file = arguments.file or SHARED
    if not file.exists():
        print(f"skipped: {file} is missing; the real isolates lie beside the checkout")
        return
    evidence = collect_evidence(read_file(file), labels=LabelSource.FILE)
    found = cross_validate(evidence, arguments.folds, arguments.seed)
    print("\ncompared as S, I (with SDD), R (with NS); 95 % intervals of Wilson in brackets")
    report("per antimicrobial", found.by_column.items())
    report("per organism", sorted(found.by_organism.items(), key=lambda item: -item[1].labelled_results))
    report("pooled", [("all", found.pooled_counts)])
    print(f"answered {found.pooled_counts.answered_rate}\nCA {found.pooled_counts.categorical_agreement}")
    if arguments.json:
        arguments.json.write_text(json.dumps(found.to_json(), indent=1))
    if arguments.file is None:
        write_down(found.pooled_counts, arguments.folds, arguments.seed)


def write_down(pooled: AgreementCounts, folds: int, seed: int) -> None:
    """Write the pooled figures to ``results/accuracy.json``."""
    agreement, answered = pooled.categorical_agreement.share, pooled.answered_rate.share
    very_major, major = pooled.very_major_errors, pooled.major_errors
    record(
        "accuracy",
        {"file": SHARED.name, "folds": folds, "seed": seed, "pooled": pooled.to_json()},
        headline=f"CA {agreement:.2%} answering {answered:.2%} of {pooled.labelled_results:,} labels; "
        f"VME {very_major.cases} of {very_major.total:,}, ME {major.cases} of {major.total:,}",
        peers=(
            Peer(
                "a free look-up",
                "% of answers that disagree; it answers 98.68 %",
                round(100 * (1 - agreement), 3),
                LOOK_UP_DISAGREES,
                "the same isolates, earlier run",
                more_is_better=False,
            ),
        ),
    )


if __name__ == "__main__":
    main()
