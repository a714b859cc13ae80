"""The examples in docstrings and in the tutorial do what they say."""

import ast
import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import sirena
from tests.source_trees import source_tree

PACKAGES = (
    *("domain", "guidelines", "whonet", "panel", "certification", "training", "stewardship"),
    *("engine", "serving", "web"),
)
WITHOUT = {
    "certification.page.render_page": "a page, of which an example would show a fragment",
    "guidelines.eucast.importing.import_eucast": "needs a workbook of EUCAST's",
    "guidelines.eucast.workbook.read_workbook": "needs a workbook of EUCAST's",
    "training.asking_worker.main": "a program",
    "training.audited_isolates.audited_isolates": "needs a file, its labels and their audit",
    "training.backend.use_one_thread": "changes the process, and returns nothing",
    "training.cross_validation.cross_validate": "trains five times",
    "training.saving.load_network": "needs a network that was trained and stored",
    "training.streamed_counts.count_streamed": "needs a long file",
    "whonet.workbook_worker.main": "a program",
    "whonet.writing.standard_output": "writes to a stream that examples have no like of",
}
"""Public functions without an example, and why."""
ROOT = Path(sirena.__file__).parent
TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial"


def modules() -> list[str]:
    """Return the modules that hold an example."""
    names = [
        module.name
        for package in PACKAGES
        for module in pkgutil.walk_packages([str(ROOT / package)], f"sirena.{package}.")
        if not module.ispkg
    ]
    return [name for name in names if ">>> " in ROOT.parent.joinpath(*name.split(".")).with_suffix(".py").read_text()]


@pytest.mark.parametrize("name", modules())
def test_examples_of_a_module_run(name: str) -> None:
    """As `pytest --doctest-modules` runs them."""
    outcome = doctest.testmod(importlib.import_module(name))
    assert (outcome.failed, outcome.attempted > 0) == (0, True)


def test_every_public_function_of_the_field_shows_its_use() -> None:
    """Those of the packages that people use as a library."""
    without = {
        ".".join((*path.relative_to(ROOT).with_suffix("").parts, function.name))
        for package in ("domain", "guidelines", "whonet", "panel", "certification", "training")
        for path in (ROOT / package).rglob("*.py")
        for function in source_tree(path).body
        if isinstance(function, ast.FunctionDef) and not function.name.startswith("_")
        if ">>> " not in (ast.get_docstring(function) or "")
    }
    assert without == set(WITHOUT)


@pytest.mark.parametrize("page", sorted(TUTORIAL.glob("*.md")), ids=lambda page: page.stem)
def test_the_tutorial_runs(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each of its lines, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    outcome = doctest.testfile(str(page), module_relative=False)
    assert (outcome.failed, outcome.attempted > 0) == (0, True)
