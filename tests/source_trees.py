"""The source of the program as Python reads it, each file once for all tests of a process."""

import ast
from functools import cache
from pathlib import Path

import sirena

SOURCE = Path(sirena.__file__).parent.parent
"""Folder that holds the package."""


@cache
def source_tree(path: Path) -> ast.Module:
    """Return a file's syntax tree, which nobody changes."""
    return ast.parse(path.read_text("utf-8"))


def source_of(module: str) -> Path | None:
    """Return the file of a module of ours; None for any other name."""
    place = SOURCE.joinpath(*module.split("."))
    files = (place / "__init__.py", place.with_suffix(".py"))
    return next((file for file in files if module.startswith("sirena") and file.exists()), None)


def module_names(node: ast.Import | ast.ImportFrom, path: Path) -> list[str]:
    """Return the names of the modules that an import statement in a file imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    above = path.relative_to(SOURCE).parts[: -node.level] if node.level else ()
    base = ".".join((*above, *filter(None, [node.module])))
    inner = [f"{base}.{alias.name}" for alias in node.names]
    return [base, *(name for name in inner if source_of(name))]
