"""The packages import in one direction only."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sirena

PACKAGE = Path(sirena.__file__).parent
ORDER = ["domain", "guidelines", "whonet", "panel", "training", "certification", "registry", "serving", "cli"]
OPERATIONS_USERS = {"registry", "serving", "cli", "operations", "guidelines", "ledger"}
LEDGER_USERS = {"cli"}
LEDGER_IMPORTS = {"domain", "operations", "ledger"}


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


@pytest.mark.parametrize("package", ORDER)
def test_nothing_imports_from_its_right(package: str) -> None:
    """A module imports its own package and those before it in the order of the architecture."""
    allowed = set(ORDER[: ORDER.index(package) + 1]) | ({"operations"} if package in OPERATIONS_USERS else set())
    allowed |= {"ledger"} if package in LEDGER_USERS else set()
    assert _forbidden_imports(package, allowed) == set()


def test_the_ledger_knows_no_models() -> None:
    """What happened is recorded in words; the ledger imports the domain and the settings only."""
    assert _forbidden_imports("ledger", LEDGER_IMPORTS) == set()


def _forbidden_imports(package: str, allowed: set[str]) -> set[str]:
    return {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in (PACKAGE / package).rglob("*.py")
        for name in _imports(path) - allowed
        if (PACKAGE / name).is_dir()
    }


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("sirena.domain.truth_table", ["tensorflow", "keras", "mlflow", "fastapi", "polars", "pandas"]),
        ("sirena.domain.organisms", ["tensorflow", "keras", "mlflow", "fastapi", "polars", "pandas"]),
        ("sirena.panel.compiled", ["tensorflow", "keras", "mlflow", "fastapi", "polars"]),
        ("sirena.serving.application", ["tensorflow", "keras"]),
        ("sirena.ledger.acts", ["tensorflow", "keras", "mlflow", "fastapi", "polars", "pandas", "numpy"]),
        ("sirena.cli", ["tensorflow", "keras", "mlflow", "polars", "pandas", "numpy"]),
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
