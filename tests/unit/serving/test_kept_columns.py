"""Memory stays in proportion to the body: what names no test is not kept, and cells are bounded, in every protocol."""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from sirena.serving import kept_columns
from sirena.serving.errors import TooManyCellsError, TooManyColumnsError
from sirena.serving.inference_protocol import read_tensors
from sirena.serving.request_bodies import read_rows
from tests.serving_client import service

ROW = {"ORGANISM": "eco", "Spec_Type": "ur", "local_org": "x", "AMK_NM": "4", "AMK_ND30": "20"}
NOISE = {"LAST_NAME": "somebody", "AMK": "1", "ORGANISM_": "x", "": "x"}


def _split(rows: list[dict[str, str]]) -> Any:
    return {"dataframe_split": {"columns": list(rows[0]), "data": [list(row.values()) for row in rows]}}


def _columnar(rows: list[dict[str, str]]) -> dict[str, list[str]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


PROTOCOLS: dict[str, Callable[[list[dict[str, str]]], tuple[bytes, str]]] = {
    "dataframe_records": lambda rows: (json.dumps({"dataframe_records": rows}).encode(), "application/json"),
    "dataframe_split": lambda rows: (json.dumps(_split(rows)).encode(), "application/json"),
    "instances, records": lambda rows: (json.dumps({"instances": rows}).encode(), "application/json"),
    "inputs, records": lambda rows: (json.dumps({"inputs": rows}).encode(), "application/json"),
    "inputs, columns": lambda rows: (json.dumps({"inputs": _columnar(rows)}).encode(), "application/json"),
    "csv": lambda rows: (
        "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]).encode(),
        "text/csv",
    ),
    "v2": lambda rows: (
        json.dumps(
            {
                "inputs": [
                    {"name": name, "shape": [len(cells)], "datatype": "BYTES", "data": cells}
                    for name, cells in _columnar(rows).items()
                ]
            }
        ).encode(),
        "v2",
    ),
}


def read(protocol: str, rows: list[dict[str, str]]) -> dict[str, list[Any]]:
    """Return what is kept of rows sent by a protocol."""
    body, media = PROTOCOLS[protocol](rows)
    kept = read_tensors(body)[0] if media == "v2" else read_rows(body, media)
    return {name: list(cells) for name, cells in kept.columns.items()}


def test_names(count: int) -> list[str]:
    """Return so many distinct names that all name tests."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return ["".join(code) + "_NM" for code in itertools.islice(itertools.product(letters, repeat=3), count)]


test_names.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_column_is_kept_when_it_names_a_test_the_organism_or_the_specimen(protocol: str) -> None:
    """In any case of the letters; a name, a number or a remark of a file is dropped while it is read."""
    assert read(protocol, [{**NOISE, **ROW}, {**NOISE, **ROW}]) == {name: [cell, cell] for name, cell in ROW.items()}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_more_columns_than_the_most_are_refused(protocol: str) -> None:
    """No laboratory makes a thousand tests."""
    names = test_names(kept_columns.MOST_COLUMNS)
    with pytest.raises(TooManyColumnsError):
        read(protocol, [dict.fromkeys(["ORGANISM", *names], "4")])
    assert len(read(protocol, [dict.fromkeys(["ORGANISM", *names[:-1]], "4")])) == kept_columns.MOST_COLUMNS


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_more_cells_than_the_most_are_refused(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns that are dropped count for nothing."""
    monkeypatch.setattr(kept_columns, "MOST_CELLS", 6)
    row = {"ORGANISM": "eco", "AMK_NM": "4", "x": "y"}
    assert len(read(protocol, [row] * 3)) == 2
    with pytest.raises(TooManyCellsError):
        read(protocol, [row] * 4)


def test_records_that_leave_nearly_all_cells_empty_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand names, each in one of many records, would make a thousand cells of every record."""
    monkeypatch.setattr(kept_columns, "_FREE_CELLS", 1000)
    with pytest.raises(TooManyCellsError, match="empty"):
        read("dataframe_records", [{"ORGANISM": "eco", name: "4"} for name in test_names(100)])
    assert len(read("dataframe_records", [{"ORGANISM": "eco", name: "4"} for name in test_names(20)])) == 21


def test_the_service_answers_413_and_422() -> None:
    """Both refusals come in the one shape of errors, by both protocols."""
    many = [dict.fromkeys(["ORGANISM", *test_names(1000)], "4")]
    sparse = [{"ORGANISM": "eco", name: "4"} for name in test_names(900)] * 3
    with service(max_body=1_000_000) as running:
        client = running.client
        answers = [client.post("/invocations", json={"dataframe_records": rows}) for rows in (many, sparse)]
        body, _ = PROTOCOLS["v2"](many)
        answers.append(
            client.post("/v2/models/panel_SIR/infer", content=body, headers={"Content-Type": "application/json"})
        )
    told = [(answer.status_code, answer.json()["error"]["code"]) for answer in answers]
    assert told == [(422, "too_many_columns"), (413, "too_many_cells"), (422, "too_many_columns")]


_UNDER_A_LIMIT = """
import os, resource, sys
from sirena.serving.answering import _infer, _invoke
from sirena.serving.ground_detail import GroundDetail
from sirena.serving.prepared import PreparedRelease
from sirena.domain.errors import SirenaError
from tests.panels import small_panel
from tests.unit.serving.test_kept_columns import PROTOCOLS, test_names

SHORT = GroundDetail.SHORT
count = 10_000

def ask(protocol, kind):
    release = PreparedRelease(small_panel())
    names = [f"n{number:05}" for number in range(count)] if kind == "strange" else test_names(count)
    shared = {"ORGANISM": "eco", "AMK_NM": "4"}
    if protocol in ("dataframe_records", "instances, records", "inputs, records"):
        rows = [{**shared, name: "4"} for name in names]
    else:
        rows = [{**shared, **dict.fromkeys(names, "4")}] * 3
    body, media = PROTOCOLS[protocol](rows)
    del rows
    _invoke(release, b'{"inputs": {"ORGANISM": "eco", "AMK_NM": "4"}}', "application/json", "panel_SIR", SHORT)
    pages = int(open("/proc/self/statm").read().split()[0])
    limit = pages * resource.getpagesize() + 128 * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        if media == "v2":
            answer = _infer(release, body, "application/json", "panel_SIR", SHORT)[1].content
        else:
            answer = _invoke(release, body, media, "panel_SIR", SHORT)[1].content
        return f"answered {b'Eti_AMK_NM' in answer}"
    except SirenaError as error:
        return error.code

# a process for each: none has memory left over from another
for protocol in PROTOCOLS:
    for kind in ("strange", "tests"):
        child = os.fork()
        if not child:
            print(protocol, kind, ask(protocol, kind), sep=": ", flush=True)
            os._exit(0)
        os.waitpid(child, 0)
"""


def test_ten_thousand_distinct_names_are_answered_within_128_mib() -> None:
    """A column a name, each as long as the body has rows, once took gigabytes for some 400 KiB."""
    ended = subprocess.run([sys.executable, "-c", _UNDER_A_LIMIT], capture_output=True, text=True, check=False)
    expected = {"strange": "answered True", "tests": "too_many_columns"}
    told = [f"{protocol}: {kind}: {answer}" for protocol in PROTOCOLS for kind, answer in expected.items()]
    assert ended.stdout.splitlines() == told, ended.stderr[-500:]
