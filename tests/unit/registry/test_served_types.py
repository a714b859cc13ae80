"""Columns of every pandas type through MLflow's pyfunc: numbers and categories answer as text does."""

import json
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from mlflow.models import Model

from sirena.guidelines.editions import load_edition
from sirena.guidelines.interpreter import compile_tables
from sirena.registry.pyfunc_artifact import load_pyfunc, save_pyfunc
from sirena.registry.served_code import served_code

TYPES: dict[str, Any] = {
    "text": ["4", None, "64"],
    "string": pd.array(["4", None, "64"], dtype="string"),
    "float": [4.0, np.nan, 64.0],
    "nullable integer": pd.array([4, None, 64], dtype="Int64"),
    "nullable float": pd.array([4.0, None, 64.0], dtype="Float64"),
    "categorical": pd.Categorical(["4", None, "64"]),
    "categorical of numbers": pd.Categorical([4.0, None, 64.0]),
    "mixed": ["4", None, 64],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model as MLflow stores and loads it, with its signature."""
    folder = tmp_path_factory.mktemp("model")
    table = compile_tables(load_edition("CLSI 2025"), ["AMK"])["AMK"]
    (folder / "table.json").write_text(json.dumps(table.to_json()))
    save_pyfunc(
        folder / "model",
        artifacts={"truth_table": folder / "table.json"},
        columns=["AMK_NM"],
        code=served_code(folder / "home"),
        identity=Model(),
    )
    return load_pyfunc(str(folder / "model"))


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_column_answers_as_text_does(model: Any, kind: str) -> None:
    """S, empty for a missing MIC, R."""
    frame = pd.DataFrame({"ORGANISM": ["eco", "kpn", "pae"], "AMK_NM": TYPES[kind]})
    assert model.predict(frame)["Eti_AMK_NM"].tolist() == ["S", "", "R"]


def test_organisms_may_be_categorical(model: Any) -> None:
    """As `pandas.read_parquet` gives them."""
    frame = pd.DataFrame({"ORGANISM": pd.Categorical(["eco", "eco"]), "AMK_NM": np.array([4, 64], dtype="int16")})
    assert model.predict(frame)["Eti_AMK_NM"].tolist() == ["S", "R"]


def test_the_stock_server_reads_a_csv(model: Any) -> None:
    """As text, though the signature takes any type: comparators, numbers and empty cells."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, on import
        from mlflow.pyfunc import scoring_server
    with TestClient(scoring_server.init(model)) as server:
        text = "ORGANISM,AMK_NM\neco,4\nkpn,<=2\neco,\neco,64\n"
        answer = server.post("/invocations", content=text, headers={"Content-Type": "text/csv"})
    assert answer.status_code == 200
    assert [row["Eti_AMK_NM"] for row in answer.json()["predictions"]] == ["S", "S", "", "R"]
