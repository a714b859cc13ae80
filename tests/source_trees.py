"""The source of the program as Python reads it, each file once for all tests of a process."""

import ast
from functools import cache
from pathlib import Path


@cache
def source_tree(path: Path) -> ast.Module:
    """Return a file's syntax tree, which nobody changes."""
    return ast.parse(path.read_text("utf-8"))
