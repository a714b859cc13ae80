"""The code that is stored inside every logged model.

A model must answer where Sirena is not installed, and must not hide an installed Sirena. So `domain`, `served_model`
and what `panel.compiled` needs are copied into a top-level package whose name contains a digest of their content and of
the script that loads them. Two models logged by the same code share one package; two logged by different code do not
mix.
The package is one zip file, from which Python imports, because every file of a model is fetched and compared whenever
the model is registered, promoted or released.
"""

import hashlib
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

_SHIPPED: Final = (
    "domain",
    *(f"panel/{name}.py" for name in ("__init__", "basis", "compiled", "layouts", "lookup", "sites")),
    "registry/served_model.py",
)
"""What is copied, relative to the installed `sirena` package; folders are copied completely."""
_PACKAGE_NOTE: Final = '"""Code of a Sirena model, copied here when the model was logged."""\n'
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip file can store, so that the same code always gives the same file."""
_SCRIPT: Final = '''"""Run by MLflow to make the model (models from code: nothing is unpickled)."""

import sys
from pathlib import Path

import mlflow.models

package = str(Path(__file__).resolve().parent / "code" / "{name}.zip")
if package not in sys.path:
    sys.path.append(package)

from {name}.registry.served_model import ServedModel

mlflow.models.set_model(ServedModel())
'''


@dataclass(frozen=True)
class ServedCode:
    """A copy of the code that a model needs to answer, ready to be logged with the model."""

    package: Path
    """Zip file of the package; its stem is the package's name."""
    script: Path
    """Models-from-code script, which MLflow runs to make the model."""


def served_code(home: Path) -> ServedCode:
    """Return the copy of the code in the folder ``home``; make the copy if there is none yet.

    The copy is kept, because a process that logged a model uses modules imported from the copy.

    Args:
        home: `SIRENA_HOME`.
    """
    with as_file(files("sirena")) as root:
        sources = _sources(root)
        digest = _digest(sources)
        folder = home / "served_code" / digest
        name = f"sirena_served_{digest}"
        if not folder.is_dir():
            _copy(sources, folder, name)
    return ServedCode(package=folder / "code" / f"{name}.zip", script=folder / "served.py")


def _sources(root: Path) -> dict[str, Path]:
    sources = {}
    for part in _SHIPPED:
        path = root / part
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and "__pycache__" not in file.parts:
                sources[file.relative_to(root).as_posix()] = file
    return sources


def _digest(sources: dict[str, Path]) -> str:
    digest = hashlib.sha256(_SCRIPT.encode())
    for relative, file in sources.items():
        content = file.read_bytes()
        digest.update(f"{relative}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]


def _copy(sources: dict[str, Path], folder: Path, name: str) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    (beside / "code").mkdir()
    contents = {relative: file.read_bytes() for relative, file in sources.items()}
    contents |= dict.fromkeys(("__init__.py", "registry/__init__.py"), _PACKAGE_NOTE.encode())
    with zipfile.ZipFile(beside / "code" / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as package:
        for relative, content in contents.items():
            package.writestr(zipfile.ZipInfo(f"{name}/{relative}", _NO_TIME), content, zipfile.ZIP_DEFLATED)
    (beside / "served.py").write_text(_SCRIPT.format(name=name), "utf-8")
    try:
        beside.rename(folder)
    except OSError:
        # another process was faster; its copy has the same digest, so it is the same
        shutil.rmtree(beside)
