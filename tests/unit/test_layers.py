"""The packages import in one direction only."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sirena
from tests.source_trees import module_names, source_tree

PACKAGE = Path(sirena.__file__).parent
ORDER = [
    *("domain", "engine", "guidelines", "whonet", "panel", "stewardship"),
    *("training", "certification", "registry", "serving", "acts", "web", "cli"),
]
ROOMS = ["host", "settings", "database", "server"]
"""Rooms of the machine below the order: each imports those before it and `domain`."""
USERS = {
    "guidelines": {"host"},
    "ledger": {"host", "settings", "database"},
    "access": {"settings", "database"},
    **{package: set(ROOMS) for package in ("registry", "serving", "acts", "cli")},
}
"""Which of these rooms a package may import."""
BESIDE = {"texts": {"texts"}, "ledger": {"ledger", "domain"}, "access": {"access", "domain", "ledger"}}
"""Packages beside the order: what they may import. Acts and the command line import them, the pages the texts."""
SERVER = [
    *({"parts", "tls", "free_ports", "steps"}, {"supervision", "object_store", "entry"}),
    *({"python_parts", "stack"}, {"embedded_stack", "production_stack"}, {"backup"}, {"checks"}),
]
"""Rooms of the server, each group importing those before it."""


def _imports(path: Path) -> set[str]:
    """Return the packages of sirena that a module imports."""
    return {
        name.split(".")[1]
        for node in ast.walk(source_tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in module_names(node, path)
        if name.startswith("sirena.")
    }


@pytest.mark.parametrize("package", [*ORDER, *ROOMS, *BESIDE])
def test_nothing_imports_from_its_right(package: str) -> None:
    """A module imports its own package and those before it in the order of the architecture."""
    allowed = _allowed(package) | USERS.get(package, set())
    wrong = {
        f"{path.relative_to(PACKAGE)} imports {name}"
        for path in (PACKAGE / package).rglob("*.py")
        for name in _imports(path) - allowed
        if (PACKAGE / name).is_dir()
    }
    assert wrong == set()


def _allowed(package: str) -> set[str]:
    if package in BESIDE:
        return BESIDE[package]
    if package in ROOMS:
        return {"domain", *ROOMS[: ROOMS.index(package) + 1]}
    beside = {"acts": {"ledger", "access"}, "cli": set(BESIDE), "web": {"texts"}}
    return set(ORDER[: ORDER.index(package) + 1]) | beside.get(package, set())


def test_the_rooms_of_the_server_import_in_one_direction() -> None:
    """A part knows nothing of the stack, the stack nothing of backups, backups nothing of checks."""
    level = {room: index for index, rooms in enumerate(SERVER) for room in rooms}
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {room}"
        for path in (PACKAGE / "server").rglob("*.py")
        for room in _rooms(path)
        if level[room] > level[path.relative_to(PACKAGE / "server").with_suffix("").parts[0]]
    ]
    assert wrong == []


def _rooms(path: Path) -> set[str]:
    modules = (node.module or "" for node in ast.walk(source_tree(path)) if isinstance(node, ast.ImportFrom))
    return {module.split(".")[2] for module in modules if module.startswith("sirena.server.")}


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
        for node in ast.walk(source_tree(path))
        if isinstance(node, ast.ImportFrom) and node.level == 0
    ]


def test_a_class_name_stands_for_one_thing() -> None:
    """Public classes are named once in the whole program, so that a name says which one is meant."""
    places: dict[str, list[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        for node in source_tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(str(path.relative_to(PACKAGE)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
