"""Reading what a model returns, in any of the forms that models use.

Rules, each with a test of like name:

- in a frame, the answer is the column ``Eti_<column>``, or the only column; a column of reasons is read too;
- category texts in any case; 0, 1, 2 (numbers or digits) are S, I, R, the platform's fixed label codes;
- None, NaN, "" and NI are refusals; without a reason they are position 0 in `ANSWERS`;
- any other reply is counted as unintelligible, never guessed: class probabilities have no names, and the codes of
  another encoder (alphabetical I, R, S) would be misread.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sirena.domain.category import Category, Reason
from sirena.domain.errors import UsageError
from sirena.domain.test_column import CATEGORY_PREFIX
from sirena.domain.truth_table import NOT_ASKED, answer_code

_CODES: Final[dict[Any, Category]] = {0: Category.S, 1: Category.I, 2: Category.R}
_UNINTELLIGIBLE: Final = 255


@dataclass(frozen=True)
class Replies:
    """The answers read from one call of a model."""

    answers: NDArray[np.uint8]
    """For each row, a position in `ANSWERS`; 0 is a refusal without reason."""
    unintelligible_replies: int
    """Number of rows whose reply was no category; in `answers` they are refusals."""


def read_replies(return_value: Any, column: str, rows: int) -> Replies:
    """Return the answers in a model's return value for a test column.

    Raises:
        UsageError: the value does not hold one answer per row.

    >>> read_replies(["S", "R", "?"], "AMK_NM", 3).unintelligible_replies
    1
    """
    categories, reasons = _columns_of(return_value, column)
    if len(categories) != rows:
        raise UsageError(
            f"{column}: the model returned {len(categories)} answers to {rows} questions",
            hint="return exactly one answer for each input row, in order",
        )
    codes, distinct = pd.factorize(_as_objects(categories), use_na_sentinel=False)
    answers = np.array([_read(value) for value in distinct], dtype=np.uint8)[codes]
    is_unintelligible = answers == _UNINTELLIGIBLE
    answers[is_unintelligible] = NOT_ASKED
    if reasons is not None:
        codes, distinct = pd.factorize(_as_objects(reasons), use_na_sentinel=False)
        reason_codes = np.array([_read_reason(value) for value in distinct], dtype=np.uint8)[codes]
        answers = np.where((answers == NOT_ASKED) & ~is_unintelligible, reason_codes, answers).astype(np.uint8)
    return Replies(answers, int(is_unintelligible.sum()))


def _columns_of(return_value: Any, column: str) -> tuple[Sequence[Any], Sequence[Any] | None]:
    """Return the column of categories and, if there is one, the column of reasons."""
    if isinstance(return_value, list) and return_value and isinstance(return_value[0], dict):
        return_value = pd.DataFrame(return_value)
    if isinstance(return_value, pd.DataFrame):
        return _frame_columns(return_value, column)
    if isinstance(return_value, pd.Series):
        return return_value.tolist(), None
    if isinstance(return_value, str | bytes | dict) or not (
        isinstance(return_value, Sequence) or hasattr(return_value, "__array__")
    ):
        raise UsageError(
            f"{column}: the model returned a {type(return_value).__name__}, not one answer a row",
            hint=f"return a frame with {CATEGORY_PREFIX}{column}, a series, a list or an array",
        )
    array = _as_objects(return_value) if isinstance(return_value, Sequence) else np.asarray(return_value)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise UsageError(
            f"{column}: the model returned an array of shape {array.shape}, not one answer a row",
            hint="class probabilities do not name their classes: return S, I, R",
        )
    return array.tolist(), None


def _frame_columns(frame: pd.DataFrame, column: str) -> tuple[Sequence[Any], Sequence[Any] | None]:
    header = CATEGORY_PREFIX + column
    if header not in frame.columns and frame.shape[1] != 1:
        raise UsageError(
            f"{column}: the model returned {frame.shape[1]} columns and none is {header}",
            hint=f"name the column of categories {header}",
        )
    position = list(frame.columns).index(header) if header in frame.columns else 0
    reasons = [
        index
        for index, name in enumerate(frame.columns)
        if index != position
        and "reason" in str(name).lower()
        and (column in str(name) or str(name).lower() == "reason")
    ]
    return frame.iloc[:, position].tolist(), frame.iloc[:, reasons[0]].tolist() if reasons else None


def _as_objects(values: Sequence[Any]) -> NDArray[np.object_]:
    """Return an array with one object per row; a nested sequence becomes a text that is no category."""
    array = np.empty(len(values), dtype=object)
    for position, value in enumerate(values):
        single = value[0] if isinstance(value, list | tuple | np.ndarray) and len(value) == 1 else value
        array[position] = "nested" if isinstance(single, list | tuple | np.ndarray | dict | set) else single
    return array


def _read(value: Any) -> int:
    """Return the position in `ANSWERS` of one distinct reply."""
    if value is None or value is pd.NA or (isinstance(value, float | np.floating) and np.isnan(value)):
        return NOT_ASKED
    if isinstance(value, bool | np.bool_):
        return _UNINTELLIGIBLE
    if isinstance(value, int | float | np.integer | np.floating):
        category = _CODES.get(value)  # 2.0 finds 2; 0.7 and infinity find nothing
        return _UNINTELLIGIBLE if category is None else answer_code(category)
    if not isinstance(value, str):
        return _UNINTELLIGIBLE
    word = value.strip().upper()
    if word in ("", "NI", "NAN", "NONE"):
        return NOT_ASKED
    if word in ("0", "1", "2"):
        return answer_code(_CODES[int(word)])
    return answer_code(Category(word)) if word in Category.__members__ else _UNINTELLIGIBLE


def _read_reason(value: Any) -> int:
    word = value.strip().lower() if isinstance(value, str) else ""
    return answer_code(Category.NI, Reason(word)) if word in set(Reason) else NOT_ASKED
