"""41 models for benchmarks, made in seconds: the reference's tables, with untrained networks of the real size."""

import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from sirena.certification.certificate import Subject, certify
from sirena.certification.certificate_file import to_json
from sirena.certification.page import render_page
from sirena.domain.truth_table import TruthTable
from sirena.guidelines.editions import Edition
from sirena.guidelines.interpreter import compile_tables
from sirena.registry.connection import Registry
from sirena.registry.digests import canonical_json
from sirena.registry.models import ModelVersionRef, log_model_version
from sirena.registry.plots import confusion_plot

REPORT = {
    "seed": 0,
    "label_source": "reference",
    "settings": {"rate": 0.1, "steps": 600},
    "evidence": {"results": 5000, "cells": 900},
    "history": [{"loss": 1 / (step + 1), "held_out": 2 / (step + 1)} for step in range(600)],
}
"""What training says of each."""


@dataclass(frozen=True)
class Trained:
    """A model as `training` returns it."""

    column: str
    network: Any
    table: TruthTable
    report: dict[str, Any]


def reference_models(edition: Edition) -> list[Trained]:
    """Make the models."""
    inputs = keras.Input((8,))
    network = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(500)(inputs)))
    # without a breakpoint for any organism nothing can be certified; keys in order, as training has them
    compiled = [table.to_json() for table in compile_tables(edition).values() if table.keys]
    tables = [TruthTable.from_json(json.loads(canonical_json(document))) for document in compiled]
    return [Trained(table.column, network, table, REPORT) for table in tables]


def certify_and_log(
    registry: Registry, models: Iterable[Trained], edition: Edition, parent: str, *, threads: int = 2
) -> list[ModelVersionRef]:
    """Certify, log and register a model, as a training session does."""

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

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(log, models))
