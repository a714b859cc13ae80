"""The packages import in one direction only."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sirena

PACKAGE = Path(sirena.__file__).parent
ORDER = [
    *("domain", "guidelines", "whonet", "panel", "stewardship"),
    *("training", "certification", "registry", "serving", "acts", "web", "cli"),
]
BESIDE = {
    "texts": {"texts"},
    "ledger": {"ledger", "domain", "operations"},
    "access": {"access", "domain", "operations", "ledger"},
}
"""Packages beside the order: what they may import. Acts and the command line import them, the pages the texts."""
OPERATIONS_USERS = {"registry", "serving", "acts", "cli", "operations", "guidelines"}


def _imports(path: Path) -> set[str]:
    """Return the packages of sirena that a module imports, relative imports resolved."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                base = path.relative_to(PACKAGE).parts[: -node.level]
                module = ".".join(("sirena", *base, *(module.split(".") if module else ())))
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "sirena" else [module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("sirena.")}
    return found


@pytest.mark.parametrize("package", [*ORDER, *BESIDE])
def test_nothing_imports_from_its_right(package: str) -> None:
    """A module imports its own package and those before it in the order of the architecture."""
    allowed = BESIDE.get(package) or (
        set(ORDER[: ORDER.index(package) + 1])
        | ({"operations"} if package in OPERATIONS_USERS else set())
        | (set(BESIDE) - ({"texts"} if package == "acts" else set()) if package in ("acts", "cli") else set())
        | ({"texts"} if package == "web" else set())
    )
    wrong = {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in (PACKAGE / package).rglob("*.py")
        for name in _imports(path) - allowed
        if (PACKAGE / name).is_dir()
    }
    assert wrong == set()


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("sirena.domain.truth_table", ["tensorflow", "keras", "mlflow", "fastapi", "polars", "pandas"]),
        ("sirena.domain.organisms", ["tensorflow", "keras", "mlflow", "fastapi", "polars", "pandas"]),
        ("sirena.panel.compiled", ["tensorflow", "keras", "mlflow", "fastapi", "polars"]),
        ("sirena.stewardship.antibiogram", ["tensorflow", "keras", "mlflow", "fastapi", "pandas"]),
        ("sirena.serving.application", ["tensorflow", "keras"]),
        ("sirena.web.application", ["tensorflow", "keras", "mlflow", "sirena.registry", "sirena.acts"]),
        ("sirena.ledger.acts", ["tensorflow", "keras", "mlflow", "fastapi", "polars", "pandas", "numpy"]),
        (
            "sirena.cli",
            ["tensorflow", "keras", "mlflow", "polars", "pandas", "numpy", "babel", "sirena.texts.messages"],
        ),
        ("sirena.texts.messages", ["babel", "numpy"]),
    ],
)
def test_importing_a_package_does_not_load_what_it_must_not_know(module: str, forbidden: list[str]) -> None:
    """A fresh interpreter that imports the module has none of the heavy libraries loaded."""
    code = f"import sys, {module}; print([name for name in {forbidden!r} if name in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "[]"


def test_domain_and_panel_import_relatively() -> None:
    """They travel inside logged models under another name, so an absolute import would break there."""
    absolute = [
        str(path.relative_to(PACKAGE))
        for package in ("domain", "panel")
        for path in (PACKAGE / package).glob("*.py")
        if path.name not in {"frame.py"} and "sirena." in "".join(_absolute_names(path))
    ]
    assert absolute == []


def _absolute_names(path: Path) -> list[str]:
    return [
        (node.module or "") + "."
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level == 0
    ]
