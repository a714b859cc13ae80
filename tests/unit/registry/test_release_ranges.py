"""What two releases answer differently, in ranges: what a committee reads."""

import numpy as np
import pytest

from sirena.domain.mic import CODES, Mic
from sirena.domain.truth_table import TruthTable
from sirena.panel.compiled import Panel
from sirena.panel.gravity import gravity
from sirena.registry.release_diff import differences
from sirena.registry.release_ranges import mic_ranges, range_changes
from tests.panels import cut_table, small_panel


def _panel(name: str, **cuts: tuple[int, int]) -> Panel:
    return Panel({"AMK_NM": cut_table("AMK_NM", cuts)}, {}, release=name)


def test_organisms_that_change_alike_are_one_range_with_their_group() -> None:
    """Two Enterobacterales by rows of their own are two ranges; every changed answer is counted once."""
    before, after = _panel("a", eco=(2, 4), kpn=(2, 4)), _panel("b", eco=(1, 3), kpn=(1, 3))
    changes = range_changes(before, after)
    told = {(change.group, change.mics, change.before, change.after) for change in changes}
    assert ("Escherichia coli", "4", "S", "I") in told
    assert ("Escherichia coli", "8", "I", "R") in told
    assert sum(change.answers for change in changes) == len(list(differences(before, after)))


def test_organisms_decided_by_one_row_are_one_range() -> None:
    """Without a ground the group is the narrowest that all belong to."""
    cells = np.ones((2, CODES), np.uint8)
    old, new = (
        Panel({"AMK_NM": TruthTable("AMK_NM", ("eco", "kpn"), rows)}, {}, release="x") for rows in (cells, cells * 4)
    )
    [change] = range_changes(old, new)
    assert (change.organisms, change.group) == (("eco", "kpn"), "Enterobacteriaceae (2 organisms)")
    assert (change.mics, change.answers) == ("any", 2 * CODES)


def test_the_gravest_stands_first() -> None:
    """S that becomes R before R that becomes S, a lost category, a new one, and all others."""
    pairs = [("S", "R"), ("WT", "NWT"), ("R", "S"), ("S", "NI"), ("NI", "S"), ("S", "I"), ("R", "NI"), ("I", "R")]
    assert [gravity(*pair) for pair in pairs] == [0, 0, 1, 2, 3, 4, 4, 4]
    changes = range_changes(_panel("a", eco=(4, 5), sau=(1, 2)), _panel("b", eco=(1, 2), sau=(4, 5)))
    assert [change.gravity for change in changes] == sorted(change.gravity for change in changes)
    assert (changes[0].group, changes[0].before, changes[0].after) == ("Escherichia coli", "S", "R")


def test_a_release_without_the_model_has_no_category() -> None:
    """A drug that one release lacks is named as such, not as refused."""
    full = small_panel()
    without = Panel({"AMK_NM": full.tables["AMK_NM"]}, {}, release="less")
    assert {(change.column, change.after) for change in range_changes(full, without)} == {("CAZ_NM", "")}


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        ([14], "1"),
        ([14, 15, 16], "1 … 4"),
        ([14, 16], "1, 4"),
        ([0, 1, 14], f"up to {Mic.from_code(1)}, 1"),
        ([26, 27], f"from {Mic.from_code(26)} on"),
        ([28 + 14, 28 + 15], "<=1 … <=2"),
        ([14, 28 + 14], "1"),
    ],
)
def test_ranges_are_told_in_exact_mics_and_censored_only_alone(codes: list[int], text: str) -> None:
    """mg/L, as laboratories write them."""
    assert mic_ranges(codes) == text
