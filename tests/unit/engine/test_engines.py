"""Engines of this machine, and what is said where there is no Ray."""

import sys

import pytest

from sirena.engine import Engine
from sirena.engine.cluster import ADDRESS_VARIABLE, ClusterError, ray_engine
from sirena.engine.local import LOCAL, ONE_BY_ONE


@pytest.mark.parametrize("engine", [LOCAL, ONE_BY_ONE])
def test_results_come_in_the_order_of_the_parts_and_an_error_in_its_turn(engine: Engine) -> None:
    """What comes before the part that fails is there."""
    results: list[int] = []
    with pytest.raises(ZeroDivisionError):
        results.extend(engine.in_turn(lambda part: 12 // part, [12, 6, 4, 0, 1]))  # extend takes as they come
    assert results == [1, 2, 3]


def test_without_ray_the_remedy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence: what to install."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match="not installed") as refusal, ray_engine():
        pass
    assert "sirena[ray]" in refusal.value.hint


def test_an_address_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named, and what it should be."""
    monkeypatch.setenv(ADDRESS_VARIABLE, "nowhere")
    with pytest.raises(ClusterError, match="nowhere") as refusal, ray_engine():
        pass
    assert ADDRESS_VARIABLE in refusal.value.hint
