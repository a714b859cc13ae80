"""The model that MLflow serves, asked directly."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from sirena.registry.served_model import ServedModel
from tests.panels import panel_with_sites

ROWS: dict[str, list[Any]] = {
    "ORGANISM": ["spn", "spn", "eco", "eco", "eco"],
    "SPEC_TYPE": ["bl", "LCR", "ur", "bl", "qwxz"],
    "PEN_NM": ["1", "1", None, None, None],
    "NIT_NM": [None, None, "16", "16", 16],
}


@pytest.fixture
def model(tmp_path: Path) -> ServedModel:
    """A release with sites, loaded as MLflow loads it."""
    path = tmp_path / "release.json"
    path.write_text(json.dumps(panel_with_sites().to_json()), encoding="utf-8")
    served = ServedModel()
    served.load_context(SimpleNamespace(artifacts={"release": str(path)}))
    return served


def predict(model: ServedModel, rows: dict[str, list[Any]], **params: str) -> dict[str, list[str]]:
    """Return the answers by column."""
    return {str(name): list(cells) for name, cells in model.predict(None, pd.DataFrame(rows), params).items()}


def test_each_rows_specimen_decides_its_site(model: ServedModel) -> None:
    """A specimen that is not known counts as an unknown site, and the category by a row for urine is marked."""
    answers = predict(model, ROWS)
    assert answers["Eti_PEN_NM"] == ["S", "R", "", "", ""]
    assert answers["Eti_NIT_NM"] == ["", "", "S", "NI", "S"]
    assert answers["Eti_NIT_NM_reason"] == ["", "", "", "other_site", ""]
    assert answers["Eti_NIT_NM_mark"] == ["", "", "", "", "urine_only"]
    assert "Eti_PEN_NM_mark" not in answers


def test_one_site_can_be_named_for_all_rows(model: ServedModel) -> None:
    """It takes the place of the specimens; without both the site is unknown, as before."""
    assert predict(model, ROWS, site="csf")["Eti_PEN_NM"][:2] == ["R", "R"]
    plain = {name: cells for name, cells in ROWS.items() if name != "SPEC_TYPE"}
    assert predict(model, plain)["Eti_PEN_NM"][:2] == ["S", "S"]


def test_every_answer_tells_its_ground(model: ServedModel) -> None:
    """As a sentence in English or Spanish, or as structure; an NI without a ground tells its reason."""
    assert predict(model, ROWS)["Eti_PEN_NM_basis"][:3] == [
        "species spn; non-meningitis; S <= 2, R >= 8 (CLSI 2026, Table 0)",
        "species spn; meningitis; S <= 0.0625, R >= 0.125 (CLSI 2026, Table 0)",
        "",
    ]
    spanish = predict(model, ROWS, basis="es")["Eti_NIT_NM_basis"]
    assert spanish[3] == "La guía solo establece puntos de corte para otros sitios de infección."
    assert spanish[4].startswith("solo aislamientos de orina: eco; infección urinaria no complicada;")
    structure = json.loads(predict(model, ROWS, basis="structure")["Eti_NIT_NM_basis"][2])
    assert (structure["kind"], structure["susceptible"], structure["readings"]) == ("breakpoint", 32, 2)


@pytest.mark.parametrize("params", [{"site": "kidney"}, {"basis": "fr"}])
def test_a_parameter_without_such_a_value_is_refused(model: ServedModel, params: dict[str, str]) -> None:
    """What there is, is told."""
    with pytest.raises(MlflowException, match="one of"):
        predict(model, ROWS, **params)


def test_a_drug_beyond_the_release_says_so(model: ServedModel) -> None:
    """By its reason and in words."""
    answers = predict(model, {"ORGANISM": ["eco"], "VAN_NM": ["1"]})
    assert answers["Eti_VAN_NM_reason"] == ["no_model"]
    assert answers["Eti_VAN_NM_basis"] == ["The release holds no model for this antimicrobial and guideline."]
