"""The catalogue promises nothing that no code records."""

import ast
from functools import cache
from pathlib import Path

import pytest

import sirena
from sirena.ledger.catalogue import CATALOGUE, Activated, Promoted
from sirena.ledger.event import ActOutcome
from tests.source_trees import source_tree

PACKAGE = Path(sirena.__file__).parent
OF_THE_LEDGER = {"ledger_resumed", "promotion_refused", "activation_refused"}
"""What the ledger itself records, and what it makes of a promotion or activation that is refused."""


@cache
def names_used() -> set[str]:
    """Return the names that code outside the ledger uses; a type that names many events uses none of them."""
    names: set[str] = set()
    for file in PACKAGE.rglob("*.py"):
        if file.is_relative_to(PACKAGE / "ledger") or file == PACKAGE / "access" / "events.py":
            continue
        names |= {node.id for node in ast.walk(source_tree(file)) if isinstance(node, ast.Name)}
    return names


@pytest.mark.parametrize("name", sorted(set(CATALOGUE) - OF_THE_LEDGER))
def test_every_event_is_recorded_somewhere(name: str) -> None:
    """By its class: there is no other way to name an event."""
    assert CATALOGUE[name].__name__ in names_used()


def test_a_refusal_is_an_event_of_its_own() -> None:
    """What is refused is found by its name, with what it was about."""
    promotion = Promoted(who="ana", origin="cli", model="modelo_AMK_NM", version=3, stage="Production").refused()
    activation = Activated(who="ana", origin="cli", release="panel_SIR/1").refused()
    assert (promotion.event, promotion.outcome) == ("promotion_refused", ActOutcome.REFUSED)
    assert promotion.details() == {"model": "modelo_AMK_NM", "version": 3, "stage": "Production"}
    assert (activation.event, activation.details()) == ("activation_refused", {"release": "panel_SIR/1"})
