"""The examples in docstrings and in the tutorial do what they say."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import sirena

PACKAGES = (
    *("domain", "guidelines", "whonet", "panel", "certification", "training", "stewardship"),
    *("engine", "serving", "web"),
)
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


@pytest.mark.parametrize("page", sorted(TUTORIAL.glob("*.md")), ids=lambda page: page.stem)
def test_the_tutorial_runs(page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each of its lines, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    outcome = doctest.testfile(str(page), module_relative=False)
    assert (outcome.failed, outcome.attempted > 0) == (0, True)
