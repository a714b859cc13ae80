"""The table every part meets in."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.domain.category import Category, Reason, read_label
from sirena.domain.mic import CODES, encode_mics
from sirena.domain.truth_table import ANSWERS, NOT_ASKED, Answer, TruthTable, answer_code


def _table(cells: list[int] | None = None) -> TruthTable:
    row = cells if cells is not None else [answer_code(Category.S)] * CODES
    return TruthTable("AMK_NM", ("eco",), np.array([row], dtype=np.uint8), ("seen",))


def test_look_up_answers_the_cross_product() -> None:
    """Each organism meets each MIC, and what cannot be answered says why."""
    codes = encode_mics(["4", None, "abc", "0"])
    answers = _table().look_up(["eco", None, "", "pae"], codes)
    assert [ANSWERS[code] for code in answers[0]] == [
        Answer(Category.S),
        None,
        Answer(Category.NI, Reason.UNREADABLE_MIC),
        Answer(Category.NI, Reason.IMPOSSIBLE_MIC),
    ]
    assert [ANSWERS[code].reason for code in answers[1:, 0] if ANSWERS[code]] == [
        Reason.MISSING_ORGANISM,
        Reason.UNKNOWN_ORGANISM,
        Reason.NOT_IN_VOCABULARY,
    ]
    assert answers[:, 1].tolist() == [NOT_ASKED] * 4


@given(st.lists(st.integers(0, len(ANSWERS) - 1), min_size=CODES, max_size=CODES))
def test_json_keeps_every_cell(cells: list[int]) -> None:
    """Writing and reading a table loses nothing, whatever the answers."""
    table = _table(cells)
    again = TruthTable.from_json(json.loads(json.dumps(table.to_json())))
    assert np.array_equal(again.cells, table.cells)
    assert (again.column, again.organisms, again.basis, again.absent) == (
        table.column,
        table.organisms,
        table.basis,
        table.absent,
    )


def test_cells_of_the_wrong_shape_are_refused() -> None:
    """A table whose rows and organisms differ in number cannot exist."""
    with pytest.raises(ValueError, match="AMK_NM"):
        TruthTable("AMK_NM", ("eco", "pae"), np.zeros((1, CODES), np.uint8))


@pytest.mark.parametrize(
    ("text", "label"),
    [("S", Category.S), (" r ", Category.R), ("sdd", Category.SDD), ("ns", Category.NS), ("0.5", None), ("NI", None)],
)
def test_only_five_categories_are_labels(text: str, label: Category | None) -> None:
    """WHONET leaves the MIC itself in cells it could not interpret; that is no label."""
    assert read_label(text) is label


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: {"eco": [rows["eco"][0][:-1], *rows["eco"][1:]], "kpn": [rows["kpn"][0] + "S", *rows["kpn"][1:]]},
        lambda rows: {**rows, "eco": ["?" + rows["eco"][0][1:], *rows["eco"][1:]]},
        lambda rows: {**rows, "eco": ["é" + rows["eco"][0][1:], *rows["eco"][1:]]},
    ],
    ids=["a dilution moved to another organism", "a letter of no answer", "a letter beyond ASCII"],
)
def test_a_spoilt_document_is_refused(spoil: Callable[[dict[str, list[str]]], dict[str, list[str]]]) -> None:
    """No row is read that does not hold one known letter for each MIC."""
    cells = np.full((2, CODES), answer_code(Category.S), dtype=np.uint8)
    document = TruthTable("AMK_NM", ("eco", "kpn"), cells).to_json()
    with pytest.raises(ValueError, match="letters"):
        TruthTable.from_json({**document, "organisms": spoil(document["organisms"])})
