"""MLflow's own server and client, in an environment where TensorFlow, Polars and Sirena cannot be imported."""

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sirena.registry.activation import activate
from sirena.registry.connection import connect
from sirena.registry.models import log_model_version
from sirena.registry.releases import create_release
from sirena.registry.stages import promote
from sirena.registry.versions import Stage, find_version
from sirena.server.parts.connections import PartConnection
from sirena.server.parts.part import HttpHealth
from sirena.server.parts.processes import ChildProcess, free_port
from sirena.settings.catalogue import Settings
from tests.integration.registry.registry_models import passes, verdict

BLOCKER = '''
import sys

class Blocker:
    """Stand in for an environment without these packages."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"tensorflow", "keras", "polars", "sirena", "jax", "torch"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocker())
'''


@dataclass(frozen=True)
class Served:
    """A stock scoring server."""

    url: str
    log: Path

    def ask(self, body: Any, content_type: str = "application/json") -> Any:
        """Post to /invocations and return the predictions."""
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + "/invocations", data, {"Content-Type": content_type})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["predictions"]

    def refusal(self, body: Any) -> str:
        """Post what shall be refused and return the message."""
        with pytest.raises(urllib.error.HTTPError) as refused:
            self.ask(body)
        assert refused.value.code == 400
        return str(json.load(refused.value)["message"])


@pytest.fixture(scope="module")
def served(
    tracking_uri: str, train: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, Served]]:
    """One model and one release in production, each behind `mlflow models serve`."""
    home = tmp_path_factory.mktemp("serving")
    registry = connect(Settings(home=home, tracking_uri=tracking_uri))
    versions = []
    for column in ("VAN_NM", "VOR_NM"):
        logged = log_model_version(
            registry, train(column), certificate={"edition": "CLSI 2025"}, certificate_html="", author="ana"
        )
        version = find_version(registry, str(logged))
        promote(registry, version, Stage.PRODUCTION, approver="e", verdict=verdict(True))
        versions.append(version)
    activate(registry, create_release(registry, versions, author="ana"), approver="eva", judge=passes)
    blocker = home / "blocker"
    blocker.mkdir()
    (blocker / "sitecustomize.py").write_text(BLOCKER)
    with ExitStack() as stack:
        servers = [
            _serve(f"models:/{name}@production", tracking_uri, home, blocker) for name in ("modelo_VAN_NM", "panel_SIR")
        ]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda server: stack.enter_context(server[0]), servers))
        yield servers[0][1], servers[1][1]


def _serve(uri: str, tracking_uri: str, home: Path, blocker: Path) -> tuple[ChildProcess, Served]:
    port = free_port()
    log = home / f"{uri.split('/')[1]}.log"
    process = ChildProcess(
        uri,
        [sys.executable, "-m", "mlflow", "models", "serve", "-m", uri, "--env-manager", "local", "-p", str(port)],
        health=HttpHealth(PartConnection(f"http://127.0.0.1:{port}"), "/ping"),
        log=log,
        environment={"MLFLOW_TRACKING_URI": tracking_uri, "PYTHONPATH": str(blocker), "PATH": _path()},
    )
    return process, Served(f"http://127.0.0.1:{port}", log)


def _path() -> str:
    """MLflow starts `uvicorn` by name, from the environment it runs in."""
    return f"{Path(sys.executable).parent}:{os.environ['PATH']}"


ROWS = [["eco", "<=0.5"], ["Escherichia coli", "16"], ["xyz", "2"], ["sau", ""]]
ANSWERS = [("S", ""), ("R", ""), ("NI", "unknown_organism"), ("", "")]


def bodies(column: str) -> dict[str, Any]:
    """The same question in every form MLflow's protocol knows."""
    names = ["ORGANISM", column]
    records = [dict(zip(names, row, strict=True)) for row in ROWS]
    return {
        "dataframe_split": {"columns": names, "data": ROWS},
        "dataframe_records": records,
        "instances": records,
        "inputs": {name: [row[position] for row in ROWS] for position, name in enumerate(names)},
    }


def test_every_form_of_the_protocol_gets_the_same_answer(served: tuple[Served, Served]) -> None:
    """Split, records, instances, inputs and CSV; model and release."""
    for server in served:
        text = "ORGANISM,VAN_NM\n" + "".join(f"{organism},{mic}\n" for organism, mic in ROWS)
        expected = server.ask(text, "text/csv")
        assert [(answer["Eti_VAN_NM"], answer["Eti_VAN_NM_reason"]) for answer in expected] == ANSWERS
        # each answer says why: by a ground, or by the sentence of its reason
        assert [bool(answer["Eti_VAN_NM_basis"]) for answer in expected] == [True, True, True, False]
        for form, body in bodies("VAN_NM").items():
            assert server.ask({form: body}) == expected, form


def test_numbers_and_nulls_are_read_like_their_text(served: tuple[Served, Served]) -> None:
    """A JSON number is an MIC, a JSON null is an empty cell."""
    for server in served:
        for mics, categories in (([16, 0.5], ["R", "S"]), ([16, None], ["R", ""]), ([None, None], ["", ""])):
            rows = [["eco", mic] for mic in mics]
            answers = server.ask({"dataframe_split": {"columns": ["ORGANISM", "VAN_NM"], "data": rows}})
            assert [answer["Eti_VAN_NM"] for answer in answers] == categories
            as_records = [{"ORGANISM": "eco", "VAN_NM": mic} for mic in mics]
            assert [answer["Eti_VAN_NM"] for answer in server.ask({"dataframe_records": as_records})] == categories


def test_a_release_answers_several_columns_at_once(served: tuple[Served, Served]) -> None:
    """One call answers an isolate; a gradient strip is an MIC."""
    _, panel = served
    [answer] = panel.ask({"dataframe_records": [{"ORGANISM": "eco", "VAN_NM": "2", "VOR_NE": "9"}]})
    assert (answer["Eti_VAN_NM"], answer["Eti_VOR_NE"]) == ("S", "R")


def test_another_guideline_is_never_answered(served: tuple[Served, Served]) -> None:
    """A EUCAST column is NI with its reason from the release, and refused by the single model."""
    model, panel = served
    question = {"dataframe_records": [{"ORGANISM": "eco", "VAN_EM": "2"}]}
    [answer] = panel.ask(question)
    assert (answer["Eti_VAN_EM"], answer["Eti_VAN_EM_reason"]) == ("NI", "no_model")
    assert "no column this model answers" in model.refusal(question)


def test_zones_are_refused(served: tuple[Served, Served]) -> None:
    """A zone diameter reaches no MIC model."""
    for server in served:
        question = {"dataframe_records": [{"ORGANISM": "eco", "VAN_ND30": "22"}]}
        assert "no column this model answers" in server.refusal(question)


def test_serving_prints_no_warning(served: tuple[Served, Served]) -> None:
    """The server's log holds no warning and no trace of the blocked packages."""
    for server in served:
        server.ask({"dataframe_records": [{"ORGANISM": "eco", "VAN_NM": "2"}]})
        log = server.log.read_text()
        assert [line for line in log.splitlines() if "warn" in line.lower() and "extra inputs" not in line] == []
        assert "Traceback" not in log
