"""The code that travels inside a logged model."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from sirena.domain.mic import CODES
from sirena.domain.truth_table import TruthTable
from sirena.registry import served_code as served_code_module
from sirena.registry.served_code import served_code

ASK = """
import importlib, json, sys
from pathlib import Path
from types import SimpleNamespace

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"tensorflow", "keras", "polars", "sirena"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocker())
package, table = map(Path, sys.argv[1:])
sys.path.insert(0, str(package))
served = importlib.import_module(f"{package.stem}.registry.served_model")
import pandas as pd
model = served.ServedModel()
model.load_context(SimpleNamespace(artifacts={"truth_table": str(table)}))
table.unlink()
package.unlink()
frame = pd.DataFrame({"ORGANISM": ["eco", None, "Escherichia coli"], "AMK_NM": [2.0, "4", None]}, index=[7, 8, 9])
answer = model.predict(None, frame)
print(json.dumps([list(map(str, answer.index)), answer.to_numpy().tolist()]))
"""


NO_GROUND = "not recorded: the release was made by an earlier version"


def test_the_copy_answers_where_sirena_tensorflow_and_polars_are_missing(tmp_path: Path) -> None:
    """A fresh interpreter imports the copy alone, warns of nothing, and needs no file once it is loaded."""
    table = tmp_path / "truth_table.json"
    table.write_text(json.dumps(TruthTable("AMK_NM", ("eco",), np.ones((1, CODES), np.uint8)).to_json()))
    code = served_code(tmp_path)
    script = tmp_path / "ask.py"
    script.write_text(ASK)
    asked = subprocess.run(
        [sys.executable, str(script), str(code.package), str(table)], capture_output=True, text=True, check=True
    )
    index, answers = json.loads(asked.stdout)
    assert index == ["7", "8", "9"]
    assert answers == [["S", "", NO_GROUND], ["NI", "missing_organism", "The organism is missing."], ["", "", ""]]
    assert asked.stderr == ""


def test_the_name_changes_with_the_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two models logged by different code never share a module, and each has its own script."""
    code = served_code(tmp_path)
    assert code.package.stem == f"sirena_served_{code.script.parent.name}"
    assert served_code(tmp_path) == code
    monkeypatch.setattr(served_code_module, "_SCRIPT", f"# later\n{served_code_module._SCRIPT}")
    later = served_code(tmp_path)
    assert later.package.stem != code.package.stem
    assert later.script.read_text().startswith("# later")


def test_copies_made_at_once_are_one(tmp_path: Path) -> None:
    """Processes that log at the same time do not disturb one another's copy."""
    with ThreadPoolExecutor(8) as pool:
        codes = set(pool.map(lambda _: served_code(tmp_path), range(8)))
    [code] = codes
    assert [path.name for path in code.script.parent.parent.iterdir()] == [code.script.parent.name]
