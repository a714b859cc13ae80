"""Groups of organisms, numbered."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sirena.domain.organisms import ORGANISMS
from sirena.training.lineage import Lineage, groups_above

CODES = sorted(code for code in ORGANISMS)


def groups_of(lineage: Lineage, row: int) -> list[str]:
    """Return the names of an organism's groups."""
    return [lineage.groups[number] for number in lineage.member[row]]


def test_relatives_share_groups() -> None:
    """E. coli and K. pneumoniae meet in their order, not in their genus, and both in the widest group."""
    lineage = Lineage.of(("eco", "kpn", "sau"))
    eco, kpn, sau = (set(groups_of(lineage, row)) for row in range(3))

    assert "order Enterobacterales" in eco & kpn
    assert "genus Escherichia" in eco - kpn
    assert "order Enterobacterales" not in sau
    assert "all" in eco & kpn & sau


def test_relatives_meet_when_a_lineage_leaves_a_rank_out() -> None:
    """A serovar whose family is not recorded still shares its genus's group with its siblings, at one level."""
    chains = {"a": ("order", "family", "genus"), "b": ("order", "genus"), "c": ("order",)}
    lineage = Lineage.of(tuple(chains), chains.__getitem__)

    genus = lineage.groups.index("genus")
    assert np.flatnonzero(lineage.member[0] == genus) == np.flatnonzero(lineage.member[1] == genus)
    assert [len(set(row)) for row in lineage.member.tolist()] == [5, 5, 5]


def test_contradicting_lineages_are_refused() -> None:
    """A group cannot be both wider and narrower than another."""
    with pytest.raises(ValueError, match="contradict"):
        Lineage.of(("a", "b"), {"a": ("x", "y"), "b": ("y", "x")}.__getitem__)


@given(st.sets(st.sampled_from(CODES), min_size=1, max_size=30), st.integers(0, 2**32 - 1))
def test_effects_add_up_to_the_values_they_spread(codes: set[str], seed: int) -> None:
    """Whatever the organisms, the effects of an organism's groups sum to its value."""
    lineage = Lineage.of(sorted(codes))
    values = np.random.default_rng(seed).integers(-9, 9, (len(codes), 2)).astype(float)

    np.testing.assert_allclose(lineage.spread(values)[lineage.member].sum(axis=1), values, atol=1e-9)


def test_what_all_share_is_said_once() -> None:
    """Equal values become one effect of the widest group."""
    effects = Lineage.of(("eco", "kpn", "sau")).spread(np.full((3, 1), 2.5))

    assert effects[0, 0] == 2.5
    assert not effects[1:].any()


def test_an_unknown_code_has_no_relatives() -> None:
    """It belongs to the widest group and to itself."""
    assert groups_above("zzz") == ()
    assert Lineage.of(("zzz",)).member.tolist() == [[0, 1]]
