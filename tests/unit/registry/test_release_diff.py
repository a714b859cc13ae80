"""Comparing two releases."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sirena.domain.mic import CODES, encode_mics
from sirena.domain.truth_table import ANSWERS, TruthTable
from sirena.panel.compiled import Panel
from sirena.registry.release_diff import differences

CELLS = arrays(np.uint8, (2, CODES), elements=st.integers(1, len(ANSWERS) - 1))


def panel(organisms: tuple[str, ...], cells: np.ndarray) -> Panel:
    """Return a panel of one table."""
    return Panel({"AMK_NM": TruthTable("AMK_NM", organisms, cells)}, {}, release="test")


@given(CELLS, CELLS)
def test_every_changed_category_and_nothing_else_is_named(old: np.ndarray, new: np.ndarray) -> None:
    """Asking both panels each named question gives what the difference says; the rest agrees."""
    before, after = panel(("eco", "kpn"), old), panel(("eco", "kpn"), new)
    named = {(change.organism, int(encode_mics([change.mic])[0])): change for change in differences(before, after)}
    for row, organism in enumerate(("eco", "kpn")):
        for code in range(CODES):
            was, now = ANSWERS[old[row, code]], ANSWERS[new[row, code]]
            assert was is not None
            assert now is not None
            change = named.get((organism, code))
            assert (change is not None) == (was.category is not now.category)
            if change is not None:
                assert (change.before, change.after) == (was.category, now.category)


def test_an_organism_that_one_release_does_not_know_is_ni_there() -> None:
    """Dropping an organism from a vocabulary changes every answer about it."""
    cells = np.ones((2, CODES), np.uint8)
    changes = list(differences(panel(("eco", "kpn"), cells), panel(("eco",), cells[:1])))
    assert len(changes) == CODES
    assert {(change.organism, change.before, change.after) for change in changes} == {("kpn", "S", "NI")}
