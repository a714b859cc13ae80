"""The model that MLflow loads and serves: a look-up in truth tables, without TensorFlow or an installed Sirena.

This module is stored inside every logged model together with `domain` and `panel`, in a package with another name (see
`served_code`), so its imports are relative.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import mlflow.pyfunc
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.types.schema import DataType, Schema
from numpy.typing import NDArray

from ..domain.language import Language
from ..domain.site import Site
from ..domain.specimens import SPECIMEN_COLUMN
from ..domain.test_column import CATEGORY_PREFIX, parse_test_column
from ..domain.truth_table import ANSWERS, NOT_ASKED, TruthTable
from ..panel.basis import IS_CATEGORY, MARKS, ground_sentence, reason_sentence
from ..panel.compiled import Panel
from ..panel.layouts import NO_GROUND
from ..panel.lookup import factorise, resolve_texts
from ..panel.sites import SPECIMEN, RowSites, chosen_site

ORGANISM_COLUMN: Final = "ORGANISM"
REASON_SUFFIX: Final = "_reason"
BASIS_SUFFIX: Final = "_basis"
MARK_SUFFIX: Final = "_mark"
SITE_PARAMETER: Final = "site"
BASIS_PARAMETER: Final = "basis"
STRUCTURE: Final = "structure"
"""Value of the parameter ``basis`` that returns grounds as JSON objects instead of sentences."""

_MARK: Final = "takes_any_type"
_CATEGORIES: Final = [answer.category.value if answer else "" for answer in ANSWERS]
_REASONS: Final = [answer.reason.value if answer and answer.reason else "" for answer in ANSWERS]
_MARKS: Final = [mark.value if mark else "" for mark in MARKS]


class ServedModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined,unused-ignore]
    """Answers for one antimicrobial (artifact ``truth_table``) or for a whole release (artifact ``release``)."""

    def load_context(self, context: Any) -> None:
        """Read the truth tables. MLflow passes ``context`` by name, so the parameter must not be renamed."""
        _take_csv_as_text()
        if "release" in context.artifacts:
            document = json.loads(Path(context.artifacts["release"]).read_text("utf-8"))
            self._panel = Panel.from_json(document)
        else:
            table = TruthTable.from_json(json.loads(Path(context.artifacts["truth_table"]).read_text("utf-8")))
            self._panel = Panel({table.column: table}, {}, release="")
        self._columns = tuple(self._panel.tables)
        self._sentences: dict[tuple[int, int, str], str] = {}

    # MLflow demands a data frame's type hint here, or warns at every load.
    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002
        """Return the answers to every test column of the input.

        Args:
            context: unused; the tables were read by `load_context`.
            model_input: ``ORGANISM`` (WHONET code or name) and one or more test columns such as ``AMK_NM``
                (MIC as written, with its comparator; a number is read like its text).
            params: ``site`` names the site of infection of every row (``urine``, ``csf`` …); by default it is taken
                from the specimen in ``SPEC_TYPE``, and is unknown without one. ``basis`` chooses the form of the
                ground: a sentence in ``en`` (the default) or ``es``, or its ``structure`` as a JSON object.

        Returns:
            For each test column ``X``: ``Eti_X`` (S, I, R …, NI; empty for an empty MIC), ``Eti_X_reason`` (why NI;
            else empty) and ``Eti_X_basis`` (its ground), in the input's row order and index; and ``Eti_X_mark`` if a
            category was given without knowing the site and does not hold at every site.

        Raises:
            MlflowException: the input has no test column that this model answers, or a parameter has an unknown value.
        """
        frame = _one_row_per_isolate(model_input)
        test_columns = [name for name in frame.columns if name != ORGANISM_COLUMN and parse_test_column(str(name))]
        if not test_columns:
            raise MlflowException.invalid_parameter_value(
                f"The input has no column this model answers. Send {ORGANISM_COLUMN} and "
                f"{', '.join(self._columns[:3])}{' …' if len(self._columns) > 3 else ''} "
                "(MICs in mg/L as written, for example <=0.5); other guidelines and zone diameters are not answered."
            )
        language = _parameter(params, BASIS_PARAMETER, Language.ENGLISH.value, (*Language, STRUCTURE))
        subjects = _Subjects.of(frame, params)
        answers: dict[str, list[str]] = {}
        for name in test_columns:
            mics = _texts(frame[name])
            positions = self._panel.answer_factorised(
                name, subjects.organisms, subjects.rows, mics, subjects.sites
            ).tolist()
            header = CATEGORY_PREFIX + name
            answers[header] = [_CATEGORIES[position] for position in positions]
            answers[header + REASON_SUFFIX] = [_REASONS[position] for position in positions]
            grounds, marks = self._grounds(name, subjects, positions)
            answers[header + BASIS_SUFFIX] = [
                self._sentence(number, mark, position, language)
                for number, mark, position in zip(grounds, marks, positions, strict=True)
            ]
            if any(marks):
                answers[header + MARK_SUFFIX] = [_MARKS[mark] for mark in marks]
        return pd.DataFrame(answers, index=frame.index)

    def _grounds(self, name: str, subjects: "_Subjects", positions: list[int]) -> tuple[list[int], list[int]]:
        """Return the number of each row's ground, and the mark of each row's category."""
        of_pair = {
            pair: self._panel.ground_number(name, subjects.organisms[pair[0]], subjects.sites.sites[pair[1]])
            for pair in set(subjects.pairs)
        }
        mark_of_pair = {
            pair: self._panel.mark_of(number, subjects.sites.sites[pair[1]]) for pair, number in of_pair.items()
        }
        marks = [
            mark_of_pair[pair] if IS_CATEGORY[position] else 0
            for pair, position in zip(subjects.pairs, positions, strict=True)
        ]
        return [of_pair[pair] for pair in subjects.pairs], marks

    def _sentence(self, number: int, mark: int, position: int, language: str) -> str:
        """Return the text of an answer's ground or reason; each text is made once."""
        key = (number, mark, language) if number != NO_GROUND else (number, position, language)
        if position == NOT_ASKED:
            return ""
        if key not in self._sentences:
            self._sentences[key] = self._new_sentence(number, mark, position, language)
        return self._sentences[key]

    def _new_sentence(self, number: int, mark: int, position: int, language: str) -> str:
        if number == NO_GROUND:
            return "" if language == STRUCTURE else reason_sentence(position, Language(language))
        ground = self._panel.grounds[number]
        if language == STRUCTURE:
            return json.dumps(ground.to_json(), ensure_ascii=False)
        return ground_sentence(ground, MARKS[mark], Language(language))


@dataclass(frozen=True)
class _Subjects:
    """The organisms and sites that the rows ask about: the distinct ones, and each row's positions."""

    organisms: list[str | None]
    rows: NDArray[np.intp]
    sites: RowSites
    pairs: list[tuple[int, int]]
    """Positions of each row's organism and site."""

    @classmethod
    def of(cls, frame: pd.DataFrame, params: dict[str, Any] | None) -> "_Subjects":
        """Return the organisms and sites of a frame; sites come from the parameters or the specimens."""
        length = len(frame)
        names = _texts(frame[ORGANISM_COLUMN]) if ORGANISM_COLUMN in frame else [None] * length
        distinct, rows = factorise(names)
        site = chosen_site(_parameter(params, SITE_PARAMETER, SPECIMEN, (SPECIMEN, *Site)))
        if site is not None or SPECIMEN_COLUMN not in frame:
            sites = RowSites.of_one_site(site or Site.UNKNOWN, length)
        else:
            sites = RowSites.of_specimens(*factorise(_texts(frame[SPECIMEN_COLUMN])))
        return cls(resolve_texts(distinct), rows, sites, list(zip(rows.tolist(), sites.rows.tolist(), strict=True)))


def _parameter(params: dict[str, Any] | None, name: str, default: str, choices: Iterable[str]) -> str:
    """Return a parameter's value in lower case.

    Raises:
        MlflowException: the value is unknown.
    """
    value = str((params or {}).get(name) or default).strip().lower()
    values = [str(choice) for choice in choices]
    if value not in values:
        raise MlflowException.invalid_parameter_value(f"The parameter {name} is one of {', '.join(values)}.")
    return value


def _take_csv_as_text() -> None:
    """Let MLflow's server read a CSV as text columns for a signature of any type, which it refuses otherwise.

    A signature of text would accept the CSV but refuse columns of numbers and categories. A signature without inputs
    would have pandas guess the types and would accept any columns. MLflow (3.17.2) has no other way: its server's
    ``parse_csv_input`` calls ``pandas_types`` of every signature, which does not support ``AnyType``. Signatures of
    types that it supports are unchanged.
    """
    types_of_mlflow = Schema.pandas_types

    def pandas_types(self: Schema) -> list[Any]:
        if self.is_tensor_spec() or any(isinstance(column.type, DataType) for column in self.inputs):
            return list(types_of_mlflow(self))
        return [np.dtype(object) for _ in self.inputs]

    if not hasattr(types_of_mlflow, _MARK):
        setattr(pandas_types, _MARK, True)
        Schema.pandas_types = pandas_types


def _one_row_per_isolate(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with one row per isolate, also if MLflow packed its columns into one row of lists."""
    packed_columns = [name for name in frame.columns if len(frame) == 1 and isinstance(frame[name].iloc[0], list)]
    return frame.explode(packed_columns, ignore_index=True) if packed_columns else frame


def _texts(cells: "pd.Series[Any]") -> Sequence[str | None]:
    return [None if pd.isna(cell) else cell if isinstance(cell, str) else str(cell) for cell in cells.tolist()]
