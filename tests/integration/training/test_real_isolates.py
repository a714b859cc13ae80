"""On real isolates: accuracy on those not learnt from."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sirena.training.evaluation import evaluate
from sirena.training.evidence import LabelSource, collect_evidence
from sirena.training.fitting import TrainedModel, train_models
from sirena.whonet.reading import read_file


@pytest.mark.slow
def test_agreement_on_isolates_not_learnt_from(shared_data: Path) -> None:
    """Four fifths of the isolates train, one fifth asks: CA at least 99.4 % answering at least 99.5 %."""
    evidence = collect_evidence(
        read_file(shared_data / "isolates" / "ncbi_clsi_isolates.csv.gz"), labels=LabelSource.FILE
    )
    isolates = evidence.rows["isolate"].unique().sort()
    fold = pl.Series(np.random.default_rng(20261122).integers(0, 5, len(isolates)))
    trained = train_models(evidence.of_isolates(isolates.filter(fold != 0)))
    tables = {model.column: model.table for model in trained if isinstance(model, TrainedModel)}

    found = evaluate(tables, evidence.of_isolates(isolates.filter(fold == 0)).rows).pooled_counts

    assert found.labelled_results > 20_000
    assert found.categorical_agreement.share >= 0.994
    assert found.answered_rate.share >= 0.995
