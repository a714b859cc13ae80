"""Cells are read as their texts are, whichever way they came."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from sirena.panel.lookup import encode_text
from sirena.serving.mic_cells import KnownTexts, MicReader, RepeatedCells, known_columns, shared_cells, text_of

CELLS: list[Any] = [
    "4",
    4,
    4.0,
    True,
    None,
    "",
    " ",
    "<=2",
    "abc",
    [4],
    {"a": 1},
    float("nan"),
    "1" * 40,
    "8/4",
    10**400,
]


@pytest.mark.parametrize("drug", ["AMK", "AMC"])
def test_a_cell_is_read_as_its_text_is(drug: str) -> None:
    """The first time and the next, among others and alone, also where Python takes two cells for equal."""
    reader = MicReader(drug)
    expected = [encode_text(text_of(cell), drug) for cell in CELLS]
    for _ in range(3):
        assert reader.codes(CELLS).tolist() == expected
        assert [reader.codes([cell])[0] for cell in CELLS] == expected
    assert reader.codes(RepeatedCells(CELLS, np.arange(len(CELLS))[::-1])).tolist() == expected[::-1]


def test_columns_of_known_texts_are_the_records_cells() -> None:
    """Of records that hold a cell that is not known there are none."""
    MicReader("AMK").codes(["4", "<=2", None])
    records: list[dict[str, Any]] = [
        {"ORGANISM": "eco", "AMK_NM": "4", "CAZ_NM": None},
        {"ORGANISM": "pae", "AMK_NM": "<=2", "CAZ_NM": "4"},
    ]
    columns = known_columns(records, ["AMK_NM", "CAZ_NM"])
    assert columns is not None
    assert {name: list(cells) for name, cells in columns.items()} == {"AMK_NM": ["4", "<=2"], "CAZ_NM": [None, "4"]}
    one = known_columns(records, ["AMK_NM"])
    assert one is not None
    assert list(one["AMK_NM"]) == ["4", "<=2"]
    for cell in (4, True, "never seen", ["4"]):
        assert known_columns([*records, {**records[0], "AMK_NM": cell}], ["AMK_NM", "CAZ_NM"]) is None


@pytest.mark.parametrize("text", ["<=2", "never seen", "never seen and longer than any MIC"])
def test_columns_that_share_their_texts_hold_their_own_cells(text: str) -> None:
    """Whether all of them are known or not; a reader is given no text that stands in other columns alone."""
    MicReader("AMK").codes(["4", "<=2", None])
    columns = shared_cells(["4", text, None], np.array([[0, 0, 2], [2, 1, 0]]))
    assert [list(column) for column in columns] == [["4", "4", None], [None, text, "4"]]
    assert all(
        MicReader("AMK").codes(column).tolist() == MicReader("AMK").codes([*column]).tolist() for column in columns
    )
    assert text == "<=2" or text not in columns[0].distinct


def test_texts_that_callers_choose_are_remembered_up_to_a_number() -> None:
    """Memory does not grow with what is sent, and long texts are not kept."""
    known = KnownTexts()
    known.learn(["1" * 17, *map(str, range(10_000))])
    assert len(known.texts) == 4096
    assert "1" * 17 not in known.texts


class _Slowly(list[str | None]):
    """A list after whose growth other threads come to their turn."""

    def append(self, text: str | None) -> None:
        """Append and wait."""
        super().append(text)
        time.sleep(0.001)


def test_no_two_texts_share_a_number() -> None:
    """Also when several threads bring them at once."""
    known = KnownTexts()
    known.texts = _Slowly()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(known.learn, [list(map(str, range(20))), list(map(str, range(10, 30)))]))
    numbers = known.numbers(known.texts, len(known.texts))
    assert numbers is not None
    assert numbers.tolist() == list(range(30))
