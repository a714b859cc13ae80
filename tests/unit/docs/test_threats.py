"""The page of threats names tests that exist, and none of its statements stands without one."""

import ast
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
PAGE = (REPOSITORY / "docs/explanation/threats.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_test_the_page_names_exists() -> None:
    """Renamed or removed, it would hold nothing."""
    named = set(NAMED.findall(PAGE))
    assert len(named) > 15
    missing = [f"{file}::{test}" for file, test in sorted(named) if test not in _tests_of(file)]
    assert missing == []


def test_every_row_of_the_page_that_says_what_holds_it_names_a_test() -> None:
    """A statement that nothing holds is a wish; only what is out of scope has none."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and _is_held(line)]
    assert len(rows) > 15
    assert [row for row in rows if not NAMED.search(row) and "out of scope" not in row] == []


def _is_held(row: str) -> bool:
    """Tell whether a row belongs to a table whose last column is what holds it."""
    head = PAGE[: PAGE.index(row)].rpartition("\n\n")[2].partition("\n")[0]
    return head.endswith("| held by |")


def _tests_of(file: str) -> set[str]:
    path = REPOSITORY / file
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
