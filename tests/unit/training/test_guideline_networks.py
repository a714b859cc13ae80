"""Reference networks without a disagreement."""

import numpy as np
import pytest

from sirena.guidelines.editions import load_edition
from sirena.guidelines.interpreter import compile_tables
from sirena.training.evidence import ROW_TYPES, Evidence, LabelSource
from sirena.training.fitting import TrainedModel, train_models


@pytest.mark.parametrize("edition", ["CLSI 2026", "EUCAST 2026"])
def test_networks_learnt_from_a_guideline_equal_it(edition: str) -> None:
    """SDD, NS, fosfomycin's high MICs, fungi, high-level aminoglycosides: not a single cell differs."""
    compiled = compile_tables(load_edition(edition), ["FEP", "DAP", "FOS", "FLU", "STH", "CPT"]).values()
    tables = {table.column: table for table in compiled if table.keys}
    for model in train_models(Evidence(ROW_TYPES.to_frame(), LabelSource.REFERENCE, tables)):
        assert isinstance(model, TrainedModel)
        reference = tables[model.column]
        assert set(model.table.keys) == set(reference.keys)
        rows = [reference.row_of[key] for key in model.table.keys]
        np.testing.assert_array_equal(model.table.cells, reference.cells[rows], model.column)
