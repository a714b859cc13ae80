"""The benchmarks' table, their results and their scripts belong together."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "benchmarks"


def _module(name: str) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


def test_table_is_made_of_the_results() -> None:
    """benchmarks/README.md shows what results/*.json say; `run.py --table` writes it anew."""
    document = (FOLDER / "README.md").read_text("utf-8")
    assert document == _module("run").with_table(document)


def test_every_script_that_records_is_run() -> None:
    """A script that writes a result is one `make bench` runs, under the name of its file."""
    recording = {path.stem for path in FOLDER.glob("*.py") if "import Peer, record" in path.read_text("utf-8")}
    recording |= {path.stem for path in FOLDER.glob("*.py") if "import record\n" in path.read_text("utf-8")}
    assert recording == set(_module("run").BENCHMARKS)


@pytest.mark.parametrize("path", sorted((FOLDER / "results").glob("*.json")), ids=lambda path: path.stem)
def test_a_result_says_what_when_and_where(path: Path) -> None:
    """No figure without machine and date, and no ratio that does not follow from its two figures."""
    result = json.loads(path.read_text("utf-8"))
    assert result["benchmark"] == path.stem
    assert {"processor", "cores", "memory_gib", "python", "load_before"} <= set(result["machine"])
    assert result["date"]
    assert result["headline"]
    peer = _module("recording").Peer
    for entry in result["peers"]:
        fields = {key: value for key, value in entry.items() if key != "times_better"}
        assert peer(**fields).ratio == entry["times_better"]
