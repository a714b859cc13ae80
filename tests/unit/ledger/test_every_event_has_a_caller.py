"""The catalogue promises nothing that no code records."""

import ast
from functools import cache
from pathlib import Path

import pytest

import sirena
from sirena.ledger.catalogue import CATALOGUE

PACKAGE = Path(sirena.__file__).parent
LISTS = {PACKAGE / "access" / "events.py"}
"""Describes the events of the access service and records none."""
OF_THE_LEDGER = {"ledger_resumed"}
"""What the ledger itself records."""


@cache
def _told() -> set[str]:
    """Return names of classes used, and of events told by name, outside the ledger."""
    found: set[str] = set()
    for file in PACKAGE.rglob("*.py"):
        if file.is_relative_to(PACKAGE / "ledger") or file in LISTS:
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                found |= {one.id for one in (node.func, *node.args) if isinstance(one, ast.Name)}
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


@pytest.mark.parametrize("name", sorted(set(CATALOGUE) - OF_THE_LEDGER))
def test_every_event_is_recorded_somewhere(name: str) -> None:
    """By its class in a command, or by its name in the access service."""
    assert {name, CATALOGUE[name].__name__} & _told()
