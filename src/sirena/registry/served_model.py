"""The model MLflow loads and serves: a look-up in truth tables, without TensorFlow and without Sirena installed.

This module travels inside every logged model together with `domain` and `panel`, under a package name of its
own (see `served_code`); that is why it imports its neighbours relatively.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import mlflow.pyfunc
import pandas as pd
from mlflow.exceptions import MlflowException

from ..domain.test_column import CATEGORY_PREFIX, parse_test_column
from ..domain.truth_table import ANSWERS, TruthTable
from ..panel.compiled import Panel

ORGANISM_COLUMN: Final = "ORGANISM"
REASON_SUFFIX: Final = "_reason"

_CATEGORIES: Final = [answer.category.value if answer else "" for answer in ANSWERS]
_REASONS: Final = [answer.reason.value if answer and answer.reason else "" for answer in ANSWERS]


class ServedModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined,unused-ignore]
    """Answers one antimicrobial (artifact ``truth_table``) or a whole release (artifact ``release``)."""

    def load_context(self, context: Any) -> None:
        """Read the tables. MLflow passes ``context`` by name, so the parameter may not be renamed."""
        if "release" in context.artifacts:
            document = json.loads(Path(context.artifacts["release"]).read_text("utf-8"))
            self._panel = Panel.from_json(document)
        else:
            table = TruthTable.from_json(json.loads(Path(context.artifacts["truth_table"]).read_text("utf-8")))
            self._panel = Panel({table.column: table}, {}, release="")
        self._columns = tuple(self._panel.tables)

    # MLflow demands a data frame's type hint here, or warns at every load.
    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002
        """Answer every test column of the input.

        Args:
            context: unused; the tables were read by `load_context`.
            model_input: ``ORGANISM`` (WHONET code or name) and one or more test columns such as ``AMK_NM``
                (MIC as written, with its comparator; a number is read like its text).
            params: none are known.

        Returns:
            For each test column ``X``: ``Eti_X`` (S, I, R …, NI; empty for an empty MIC) and ``Eti_X_reason``
            (why NI; else empty), in the input's row order and index.

        Raises:
            MlflowException: the input holds no test column this model answers.
        """
        frame = _one_row_per_isolate(model_input)
        asked = [name for name in frame.columns if name != ORGANISM_COLUMN and parse_test_column(str(name))]
        if not asked:
            raise MlflowException.invalid_parameter_value(
                f"The input has no column this model answers. Send {ORGANISM_COLUMN} and "
                f"{', '.join(self._columns[:3])}{' …' if len(self._columns) > 3 else ''} "
                "(MICs in mg/L as written, for example <=0.5); other guidelines and zone diameters are not answered."
            )
        organisms = _texts(frame[ORGANISM_COLUMN]) if ORGANISM_COLUMN in frame else [None] * len(frame)
        answers = {}
        for name in asked:
            positions = self._panel.answer_column(name, organisms, _texts(frame[name])).tolist()
            answers[CATEGORY_PREFIX + name] = [_CATEGORIES[position] for position in positions]
            answers[CATEGORY_PREFIX + name + REASON_SUFFIX] = [_REASONS[position] for position in positions]
        return pd.DataFrame(answers, index=frame.index)


def _one_row_per_isolate(frame: pd.DataFrame) -> pd.DataFrame:
    """Undo MLflow's packing of ``{"ORGANISM": [...], "AMK_NM": [...]}`` into one row of lists."""
    packed = [name for name in frame.columns if len(frame) == 1 and isinstance(frame[name].iloc[0], list)]
    return frame.explode(packed, ignore_index=True) if packed else frame


def _texts(cells: "pd.Series[Any]") -> Sequence[str | None]:
    return [None if pd.isna(cell) else cell if isinstance(cell, str) else str(cell) for cell in cells.tolist()]
