"""The one way of answering: rows in, answers with their provenance out. Knows neither HTTP nor JSON.

Rules, each with a test of like name:

- one answer per row and test column, in the order of the rows; rows never meet one another;
- every column of the request that names a test is answered, the others are ignored;
- what cannot be answered is refused value by value with its reason, and never fails the request;
- asked by one model's name, only the columns that this model answers count.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sirena.domain.category import Reason
from sirena.domain.test_column import TestColumn
from sirena.panel.compiled import Panel, factorise
from sirena.panel.lookup import read_column, resolve_text
from sirena.serving.errors import MalformedBodyError, NothingToAnswerError, UnknownModelError

ORGANISM_COLUMNS: Final = ("ORGANISM", "LOCAL_ORG")
"""Columns that hold the organism, the first present counts; any case."""
PANEL_MODEL: Final = "panel_SIR"
"""Name of the whole release as one model."""
_FEW_ROWS: Final = 16
_JUNK: Final = "?"


@dataclass(frozen=True)
class Rows:
    """The rows of a request, column by column."""

    columns: Mapping[str, Sequence[Any]]
    """Cells by column name: text, number, or None for empty; whatever else came is junk and refused as such."""
    length: int
    """Number of rows."""


@dataclass(frozen=True)
class AnsweredColumn:
    """The answers to one test column."""

    column: TestColumn
    answers: bytes
    """Positions in `ANSWERS`, one per row."""
    provenance: Mapping[str, Any]
    """Model, version, release, edition and basis; all null with a reason where no model answers."""


@dataclass(frozen=True)
class Interpretation:
    """The answers to a request."""

    release: str
    organisms: Sequence[str | None]
    """WHONET code that each row's organism was read as; None when missing or unknown."""
    columns: Sequence[AnsweredColumn]


def interpret(panel: Panel, rows: Rows, *, model: str = PANEL_MODEL) -> Interpretation:
    """Answer every test column of every row.

    Args:
        panel: the loaded release.
        rows: the request.
        model: registered name; `PANEL_MODEL` asks the whole release.

    Raises:
        UnknownModelError: the release has no model of this name.
        NothingToAnswerError: no organism column, or no test column the model could be asked about.
        MalformedBodyError: two columns name one test.
    """
    asked = _asked_columns(panel, rows, model)
    organisms = [resolve_text(text_of(cell)) for cell in rows.columns[_organism_column(rows)]]
    answered = []
    if rows.length <= _FEW_ROWS:
        for column, cells in asked:
            name = column.name
            codes = bytes(
                panel.answer_resolved(name, organism, text_of(cell))
                for organism, cell in zip(organisms, cells, strict=True)
            )
            answered.append(AnsweredColumn(column, codes, _provenance(panel, column, organisms)))
    else:
        distinct, positions = factorise(organisms)
        for column, cells in asked:
            texts = [cell if type(cell) is str else text_of(cell) for cell in cells]
            codes = panel.answer_factorised(column.name, distinct, positions, texts).tobytes()
            answered.append(AnsweredColumn(column, codes, _provenance(panel, column, distinct)))
    return Interpretation(panel.release, [code or None for code in organisms], answered)


def model_version(panel: Panel, model: str) -> str:
    """Return the version of a model of the release; the release's own name for the panel.

    Raises:
        UnknownModelError: the release has no model of this name.
    """
    if model == PANEL_MODEL:
        return panel.release
    return str(panel.provenance.get(_model_column(panel, model), {}).get("version", ""))


def text_of(cell: object) -> str | None:
    """Return a cell as the text a file would hold.

    A number is read like its text; NaN is how data frames spell an empty cell; a truth value, list or object is
    nothing a laboratory writes and becomes a text that no reader accepts.
    """
    if cell is None or type(cell) is str:
        return cell
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        return _JUNK
    if isinstance(cell, float) and not math.isfinite(cell):
        return None if math.isnan(cell) else "1e999"
    return repr(cell) if abs(cell) < 1e300 else "1e999"  # longer integers may not even be spelt


def _asked_columns(panel: Panel, rows: Rows, model: str) -> list[tuple[TestColumn, Sequence[Any]]]:
    wanted = None if model == PANEL_MODEL else _model_column(panel, model)
    asked: dict[str, tuple[TestColumn, Sequence[Any]]] = {}
    for name, cells in rows.columns.items():
        column = read_column(name) if len(name) <= 20 else None
        if column is None or (wanted is not None and (column.model_column != wanted or not column.is_mic)):
            continue
        if column.name in asked:
            raise MalformedBodyError("two columns name the same test", hint="send each test column once")
        asked[column.name] = (column, cells)
    if not asked:
        example = wanted or next(iter(panel.tables), "AMK_NM")
        raise NothingToAnswerError(
            "no column of the request names a test" + (" this model answers" if wanted else ""),
            hint=f"send a column such as {example} beside ORGANISM",
        )
    return list(asked.values())


def _model_column(panel: Panel, model: str) -> str:
    column = model.removeprefix("modelo_")
    if column == model or column not in panel.tables:
        raise UnknownModelError(
            "the loaded release has no model of this name", hint=f"GET /version lists them; {PANEL_MODEL} is the whole"
        )
    return column


def _organism_column(rows: Rows) -> str:
    names = {name.strip().upper(): name for name in rows.columns}
    for candidate in ORGANISM_COLUMNS:
        if candidate in names:
            return names[candidate]
    raise NothingToAnswerError(
        "no column of the request names the organism",
        hint="send a column ORGANISM with WHONET codes (eco) or species names",
    )


def _provenance(panel: Panel, column: TestColumn, organisms: Sequence[str | None]) -> dict[str, Any]:
    facts = panel.provenance_of(column.name)
    table = panel.tables.get(column.model_column) if column.is_mic else None
    if table is None:
        reason = Reason.NO_MODEL if column.is_mic else Reason.NOT_AN_MIC
        nothing = dict.fromkeys(("model", "version", "edition", "basis"))
        return {**nothing, "release": panel.release, "reason": reason.value, "explanation": reason.sentence}
    provenance: dict[str, Any] = {"model": column.model_name, "release": panel.release, **facts}
    if table.basis:
        rows = {code: table.row_of.get(code) for code in organisms if code}
        provenance["basis_of_organism"] = {code: table.basis[row] for code, row in rows.items() if row is not None}
    return provenance
