"""Scripts that write documents, as modules."""

import importlib.util
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parents[3] / "scripts"


def script(name: str) -> Any:
    """Return a script of the project as a module."""
    specification = importlib.util.spec_from_file_location(name, _FOLDER / f"{name}.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
