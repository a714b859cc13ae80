"""A command imports at the top of its file what costs nothing, and in its functions what takes long (ADR 40)."""

import ast
import sys
from collections.abc import Iterable, Iterator
from functools import cache

import pytest

from sirena.cli import COMMAND_MODULES
from tests.source_trees import SOURCE, module_names, source_of, source_tree

COSTS_NOTHING = {*sys.stdlib_module_names, "typer"}
"""Libraries that every command has imported."""
FOR_TYPES = "if TYPE_CHECKING"
TAKES_LONG = (
    *("sirena.domain.organisms", "sirena.domain.phenotypes", "sirena.domain.specimens"),
    *("sirena.guidelines", "sirena.ledger.catalogue", "sirena.texts.messages"),
)
"""Modules of ours that read tables or build catalogues as they are imported, and packages of such modules."""


@pytest.mark.parametrize("command", COMMAND_MODULES)
def test_help_imports_no_library(command: str) -> None:
    """`sirena --help` imports the file of every command, and must answer at once."""
    assert slow_imports(f"sirena.cli.{command}") == set()


def test_what_costs_nothing_is_imported_at_the_top() -> None:
    """A function imports what would make `sirena --help` slow, and nothing else."""
    hidden = [
        f"{path.name}: {ast.unparse(node)}"
        for path in (SOURCE / "sirena" / "cli").glob("*.py")
        for function in ast.walk(source_tree(path))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        if not any(slow_imports(name) for name in module_names(node, path))
    ]
    assert hidden == []


@cache
def slow_imports(module: str) -> set[str]:
    """Return what takes long of all that is imported with a module, by the imports that stand at the top of files."""
    waiting, seen = [module], set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            path = source_of(name)
            if path is not None and not name.startswith(TAKES_LONG):
                waiting.append(name.rpartition(".")[0])
                waiting += [one for node in top_imports(source_tree(path).body) for one in module_names(node, path)]
    libraries = {name for name in seen if name.partition(".")[0] not in (*COSTS_NOTHING, "sirena", "")}
    return libraries | {name for name in seen if name.startswith(TAKES_LONG)}


def top_imports(statements: Iterable[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports that run when a file is imported."""
    for statement in statements:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            yield statement
        elif isinstance(statement, ast.Try | ast.With | ast.If) and not ast.unparse(statement).startswith(FOR_TYPES):
            yield from top_imports(statement.body)
