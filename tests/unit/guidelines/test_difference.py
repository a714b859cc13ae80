"""What changes from one edition to another: kinds of rows."""

from dataclasses import replace

import pytest

from sirena.domain.category import Category
from sirena.domain.organisms import Rank
from sirena.guidelines.difference import difference
from sirena.guidelines.editions import Edition
from sirena.guidelines.rows import Breakpoint, Guideline, Statement
from sirena.guidelines.sites import Indication

ROW = Breakpoint("AMK", Rank.GENUS, "Pseudomonas", (Indication.UNSPECIFIED,), None, None, Category.I, "table")


def changes(before: Breakpoint, after: Breakpoint) -> list[tuple[str, str]]:
    """Return what two editions of one row each say otherwise."""
    first, second = (Edition("EUCAST 2025", Guideline.EUCAST, (row,), ()) for row in (before, after))
    return [(item.before, item.after) for item in difference(first, second)]


@pytest.mark.parametrize("kind", [kind for kind in Statement if not kind.has_figures])
def test_every_kind_of_row_without_figures_differs_from_every_other(kind: Statement) -> None:
    """A dash that becomes insufficient evidence is a change: R becomes no category."""
    for other in Statement:
        if not other.has_figures:
            found = changes(replace(ROW, statement=kind), replace(ROW, statement=other))
            assert bool(found) is (kind is not other)


def test_brackets_are_a_change() -> None:
    """The figures stay, S and I go."""
    plain = replace(ROW, susceptible=8.0, resistant=8.0)
    assert changes(plain, replace(plain, statement=Statement.BRACKETED)) == [
        ("S <= 8, R > 8", "in brackets: S <= 8, R > 8")
    ]
