"""Comparing two releases."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sirena.domain.category import Category
from sirena.domain.mic import CODES, encode_mics
from sirena.domain.truth_table import ANSWERS, Answer, TruthTable
from sirena.panel.compiled import Panel
from sirena.registry.release_diff import differences
from tests.properties import dear

CELLS = arrays(np.uint8, (2, CODES), elements=st.integers(1, len(ANSWERS) - 1))


def panel(organisms: tuple[str, ...], cells: np.ndarray) -> Panel:
    """Return a panel of one table."""
    return Panel({"AMK_NM": TruthTable("AMK_NM", organisms, cells)}, {}, release="test")


@dear()
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


def test_a_site_that_one_release_answers_apart_is_compared_by_itself() -> None:
    """The meningitis row of the new release is named with its site; what holds everywhere else is compared once."""
    susceptible, resistant = (np.full(CODES, ANSWERS.index(Answer(one)), np.uint8) for one in (Category.S, Category.R))
    before = panel(("spn",), np.stack([susceptible]))
    after = panel(("spn", "spn@csf"), np.stack([susceptible, resistant]))
    changes = list(differences(before, after))
    assert len(changes) == CODES
    assert {(change.site, change.before, change.after) for change in changes} == {("csf", "S", "R")}


def test_a_release_of_earlier_versions_differs_at_every_known_site() -> None:
    """It answers for an unknown site alone, so every known one was NI."""
    cells = np.stack([np.full(CODES, ANSWERS.index(Answer(Category.S)), np.uint8)])
    changes = list(differences(panel(("eco@unknown",), cells), panel(("eco",), cells)))
    assert {(change.site, change.before, change.after) for change in changes} == {("", "NI", "S")}
    assert len(changes) == CODES
