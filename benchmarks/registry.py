"""Time from trained models to an active release, against a real MLflow server with SQLite and a folder.

    PYTHONPATH=src python benchmarks/registry.py [--threads 2] [--json OUT]

The 41 models are the reference's own tables with an untrained network of the real kind's size, so that only the
registry's work is timed: logging and registering, the same again (nothing new), promotion through the gate,
release, activation, loading the panel with and without the server's help.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from sirena.certification.certificate import Subject, certify
from sirena.certification.certificate_file import to_json
from sirena.certification.gate import load_gate
from sirena.certification.page import render_page
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.editions import load_edition
from sirena.guidelines.interpreter import compile_tables
from sirena.operations.mlflow_server import embedded_mlflow_server
from sirena.operations.processes import free_port
from sirena.operations.settings import Settings
from sirena.registry.activation import activate
from sirena.registry.connection import connect
from sirena.registry.judging import RegisteredJudge
from sirena.registry.models import ModelVersionRef, log_model_version
from sirena.registry.panel_cache import load_release
from sirena.registry.plots import confusion_plot
from sirena.registry.releases import create_release, members_at
from sirena.registry.runs import finish_run, start_parent_run
from sirena.registry.stages import promote
from sirena.registry.versions import Stage


@dataclass(frozen=True)
class Trained:
    """What `training` hands over."""

    column: str
    network: Any
    table: TruthTable
    report: dict[str, Any]


class Clock:
    """Seconds by step, printed as they come."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Time one step."""
        begun = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - begun, 2)
        print(f"{self.seconds[step]:8.2f} s  {step}")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    clock = Clock()
    edition = load_edition("CLSI 2025")
    tables = compile_tables(edition)
    inputs = keras.Input((8,))
    network = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(500)(inputs)))
    report = {
        "seed": 0,
        "label_source": "reference",
        "settings": {"rate": 0.1, "steps": 600},
        "evidence": {"results": 5000, "cells": 900},
        "history": [{"loss": 1 / (step + 1), "held_out": 2 / (step + 1)} for step in range(600)],
    }
    models = [Trained(table.column, network, table, report) for table in tables.values()]

    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        settings = Settings(home=Path(home), tracking_uri=f"http://127.0.0.1:{port}", user="bench")
        with embedded_mlflow_server(settings, port):
            with clock("connect"):
                registry = connect(settings)

            def log(trained: Trained) -> ModelVersionRef:
                certificate = certify(
                    trained.table,
                    trained.table,
                    edition=edition.name,
                    edition_digest=edition.digest,
                    subject=Subject(f"modelo_{trained.column}", ""),
                )
                return log_model_version(
                    registry,
                    trained,
                    certificate=to_json(certificate),
                    certificate_html=render_page(certificate),
                    author="bench",
                    parent_run_id=parent,
                    plots={"confusion.png": confusion_plot(trained.column, [[9, 1, 0], [0, 5, 0], [0, 0, 7]])},
                )

            parent = start_parent_run(registry, "bench", author="bench")
            for step in ("certify, log and register 41 models", "the same again: nothing new"):
                with clock(step), ThreadPoolExecutor(options.threads) as pool:
                    list(pool.map(log, models))
            finish_run(registry, parent)
            judge = RegisteredJudge(registry, load_gate(), "bench", lambda _: edition.digest)
            with clock("promote 41 through the gate"):
                versions = [
                    promote(
                        registry,
                        version,
                        Stage.PRODUCTION,
                        approver="bench",
                        verdict=judge.judge(version, Stage.PRODUCTION),
                    ).version
                    for version in members_at(registry, "latest")
                ]
            with clock("make the release"):
                release = create_release(registry, versions, author="bench")
            with clock("activate the release (gate over 41 members)"):
                activate(registry, release, approver="bench", judge=judge.judge_member)
            with clock("load the panel from the registry"):
                load_release("active", settings=settings)
            with clock("load the panel again (file kept)"):
                load_release("active", settings=settings)
        with clock("load the panel, registry dead"):
            load_release("active", settings=settings)
    if options.json:
        options.json.write_text(json.dumps(clock.seconds, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
