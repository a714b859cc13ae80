"""The folder of a logged model: MLflow's description, Sirena's files and the code that answers, without pickles."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pandas as pd
from mlflow.models import Model, ModelSignature
from mlflow.types import schema as mlflow_schema
from mlflow.types.schema import ColSpec, DataType, ParamSchema, ParamSpec, Schema

from sirena.domain.language import Language
from sirena.domain.specimens import SPECIMEN_COLUMN
from sirena.domain.test_column import CATEGORY_PREFIX
from sirena.panel.sites import SPECIMEN
from sirena.registry.mlflow_quietly import mlflow, undisturbed
from sirena.registry.served_code import ServedCode
from sirena.registry.served_model import (
    BASIS_PARAMETER,
    BASIS_SUFFIX,
    MARK_SUFFIX,
    ORGANISM_COLUMN,
    REASON_SUFFIX,
    SITE_PARAMETER,
)

REQUIREMENTS: Final = tuple(f"{name}=={version(name)}" for name in ("mlflow", "numpy", "pandas"))
"""Packages that a serving environment needs, in the versions the model was logged with."""

_EXAMPLE_MICS: Final = ("<=0.5", "2", ">32")
_EXAMPLE_COLUMNS: Final = 3


def save_pyfunc(
    folder: Path, *, artifacts: Mapping[str, Path], columns: Sequence[str], code: ServedCode, identity: Model
) -> None:
    """Write a model folder that MLflow's standard tools can load and serve.

    Args:
        folder: the folder, which must not exist yet.
        artifacts: files to include, by the name by which `ServedModel` finds them.
        columns: test columns of the signature; each is optional text, since a row need not hold every drug.
        code: code from `served_code`.
        identity: MLflow's description with the ids of run and logged model.
    """
    with undisturbed():
        mlflow.pyfunc.save_model(
            path=str(folder),
            python_model=str(code.script),
            code_paths=[str(code.package)],
            artifacts={name: str(path) for name, path in artifacts.items()},
            signature=_signature(columns),
            input_example=_example(columns),
            pip_requirements=list(REQUIREMENTS),
            mlflow_model=identity,
        )


def load_pyfunc(uri: str) -> Any:
    """Return any model of the registry, Sirena's or a foreign one, loaded as MLflow's pyfunc."""
    with undisturbed():
        return mlflow.pyfunc.load_model(uri)


def _signature(columns: Sequence[str]) -> ModelSignature:
    """Return the signature of inputs and outputs, which accepts cells of any type."""
    any_type = getattr(mlflow_schema, "AnyType", None)  # MLflow before 2.19 has none: there, text only
    cell = DataType.string if any_type is None else any_type()
    inputs = [ColSpec(cell, ORGANISM_COLUMN, required=True), ColSpec(cell, SPECIMEN_COLUMN, required=False)]
    inputs += [ColSpec(cell, column, required=False) for column in columns]
    outputs = [
        ColSpec(DataType.string, CATEGORY_PREFIX + column + suffix, required=False)
        for column in columns
        for suffix in ("", REASON_SUFFIX, BASIS_SUFFIX, MARK_SUFFIX)
    ]
    parameters = [
        ParamSpec(SITE_PARAMETER, DataType.string, SPECIMEN),
        ParamSpec(BASIS_PARAMETER, DataType.string, Language.ENGLISH.value),
    ]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs), params=ParamSchema(parameters))


def _example(columns: Sequence[str]) -> pd.DataFrame:
    cells: dict[str, Any] = {ORGANISM_COLUMN: ["eco", "kpn", "sau"], SPECIMEN_COLUMN: ["ur", "bl", "wd"]}
    cells |= {column: list(_EXAMPLE_MICS) for column in columns[:_EXAMPLE_COLUMNS]}
    return pd.DataFrame(cells)
