"""The Open Inference Protocol (V2): tensors in, tensors out, answered by `core`.

Every input tensor is a column: ``ORGANISM``, ``SPEC_TYPE`` (optional) and test columns, shape ``[n]`` or ``[n, 1]``,
datatype BYTES (or a number type for MICs without comparator). Outputs are BYTES tensors ``Eti_X`` and
``Eti_X_reason``; V2 has no null, so an empty MIC and a missing reason are empty texts; ``Eti_X_mark`` is there only if
a row has a mark. Provenance and grounds are under ``parameters``; ``{"parameters": {"site": "urine"}}`` in a request
names one body site for all rows.

Source: github.com/kserve/open-inference-protocol, REST.
"""

from collections.abc import Iterator
from typing import Any, Final

import orjson

from sirena.domain.specimens import SPECIMEN_COLUMN
from sirena.domain.truth_table import ANSWERS
from sirena.panel.basis import MARKS
from sirena.panel.compiled import Panel
from sirena.serving.answer_bodies import basis_of, encode_beside
from sirena.serving.core import (
    ORGANISM_COLUMNS,
    PANEL_MODEL,
    AnsweredColumn,
    Interpretation,
    Rows,
    model_version,
)
from sirena.serving.errors import MalformedBodyError
from sirena.serving.ground_detail import GroundDetail
from sirena.serving.kept_columns import kept_columns
from sirena.serving.prepared import BASIS_SUFFIX, MARK_SUFFIX, REASON_SUFFIX, PreparedRelease
from sirena.serving.request_bodies import load_json, read_site

PLATFORM: Final = "sirena_truth_table"
_HINT: Final = 'send {"inputs": [{"name": "ORGANISM", "shape": [1], "datatype": "BYTES", "data": ["eco"]}, ...]}'
_CATEGORIES: Final = [answer.category.value if answer else "" for answer in ANSWERS]
_REASONS: Final = [answer.reason.value if answer and answer.reason else "" for answer in ANSWERS]
_MARKS: Final = [mark.value if mark else "" for mark in MARKS]


def model_metadata(panel: Panel, model: str) -> dict[str, Any]:
    """Return the description of a model in the form of V2.

    Raises:
        UnknownModelError: the release has no model of this name.
    """
    version = model_version(panel, model)
    columns = list(panel.tables) if model == PANEL_MODEL else [model.removeprefix("modelo_")]
    inputs = [ORGANISM_COLUMNS[0], SPECIMEN_COLUMN, *columns]
    outputs = [f"Eti_{column}{suffix}" for column in columns for suffix in ("", REASON_SUFFIX)]
    return {
        "name": model,
        "versions": [version],
        "platform": PLATFORM,
        "inputs": [_description(name) for name in inputs],
        "outputs": [_description(name) for name in outputs],
    }


def read_tensors(body: bytes) -> tuple[Rows, str | None]:
    """Return the rows of a V2 request.

    Returns:
        The rows, and the id given in the request, or None.

    Raises:
        MalformedBodyError: the body is not a V2 request.
    """
    document = load_json(body)
    inputs = document.get("inputs") if isinstance(document, dict) else None
    if not isinstance(inputs, list) or not inputs:
        raise MalformedBodyError("the body holds no list of input tensors", hint=_HINT)
    columns: dict[str, list[Any]] = {}
    for position, tensor in enumerate(inputs):
        name, cells = _column(tensor, position + 1)
        if name in columns:
            raise MalformedBodyError(f"input tensor {position + 1} repeats a name", hint=_HINT)
        columns[name] = cells
    lengths = {len(cells) for cells in columns.values()}
    if len(lengths) != 1:
        raise MalformedBodyError("the input tensors differ in length", hint=_HINT)
    identifier = document.get("id")
    if identifier is not None and not (isinstance(identifier, str) and identifier.isprintable()):
        raise MalformedBodyError("the request's id is not a printable text", hint=_HINT)
    return Rows(kept_columns(columns), lengths.pop(), read_site(document.get("parameters"))), identifier


def encode_tensors(
    release: PreparedRelease,
    interpretation: Interpretation,
    model: str,
    identifier: str | None,
    detail: GroundDetail,
) -> bytes:
    """Return the response in the form of V2.

    Args:
        release: release that answered.
        interpretation: the answers.
        model: name of the model in the request.
        identifier: id given in the request; None if there is none.
        detail: how much the response says about grounds.
    """
    outputs = [
        {"name": name, "shape": [len(data)], "datatype": "BYTES", "data": data}
        for answered_column in interpretation.columns
        for name, data in _tensors(answered_column)
    ]
    if detail is GroundDetail.FULL:
        for answered_column in interpretation.columns:
            sentences = [sentence or "" for sentence in basis_of(release, interpretation, answered_column)]
            name = answered_column.column.category_column + BASIS_SUFFIX
            outputs.append({"name": name, "shape": [len(sentences)], "datatype": "BYTES", "data": sentences})
    document: dict[str, Any] = {
        "model_name": model,
        "model_version": model_version(release.panel, model),
        "outputs": outputs,
        "parameters": orjson.Fragment(b"{" + encode_beside(release, interpretation, detail) + b"}"),
    }
    return orjson.dumps(document | ({"id": identifier} if identifier is not None else {}))


def _tensors(answered_column: AnsweredColumn) -> Iterator[tuple[str, list[str]]]:
    name = answered_column.column.category_column
    yield name, [_CATEGORIES[code] for code in answered_column.answers]
    yield name + REASON_SUFFIX, [_REASONS[code] for code in answered_column.answers]
    if answered_column.marks is not None:
        yield name + MARK_SUFFIX, [_MARKS[mark] for mark in answered_column.marks]


def _description(name: str) -> dict[str, Any]:
    return {"name": name, "datatype": "BYTES", "shape": [-1]}


def _column(tensor: Any, number: int) -> tuple[str, list[Any]]:
    if not isinstance(tensor, dict):
        raise MalformedBodyError(f"input tensor {number} is not an object", hint=_HINT)
    name, shape, data = tensor.get("name"), tensor.get("shape"), tensor.get("data")
    if not isinstance(name, str) or not isinstance(data, list) or not isinstance(shape, list):
        raise MalformedBodyError(f"input tensor {number} lacks name, shape or data", hint=_HINT)
    if any(isinstance(cell, list) and len(cell) == 1 for cell in data):
        data = [cell[0] if isinstance(cell, list) and len(cell) == 1 else cell for cell in data]
    if shape not in ([len(data)], [len(data), 1]):
        raise MalformedBodyError(f"the shape of input tensor {number} is not that of its data", hint=_HINT)
    return name, data
