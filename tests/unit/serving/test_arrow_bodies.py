"""Arrow in and out: the same answers as JSON, and never more memory than what was sent."""

import io
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import polars as pl
import pyarrow as pa
import pyarrow.ipc as ipc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sirena.domain.errors import SirenaError
from sirena.serving.answer_bodies import encode_answers
from sirena.serving.arrow_bodies import encode_stream, read_stream
from sirena.serving.core import interpret
from sirena.serving.errors import MalformedBodyError, TooManyCellsError, UnsupportedMediaTypeError
from sirena.serving.ground_detail import GroundDetail
from sirena.serving.prepared import PreparedRelease
from sirena.serving.request_bodies import read_document
from tests.panels import panel_with_sites
from tests.serving_client import service

RELEASE = PreparedRelease(panel_with_sites())
TYPE = "application/vnd.apache.arrow.stream"
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "ORGANISM": st.sampled_from(["eco", "pae", "spn", "zzz", "PSA", None]),
            "SPEC_TYPE": st.sampled_from(["ur", "LCR", "bl", "qwxz", None]),
            "AMK_NM": st.sampled_from(["4", "<=2", ">16", "0,5", "abc", None]),
            "NIT_NM": st.sampled_from(["32", ">64", None]),
            "PEN_NM": st.sampled_from(["0.06", "2", None]),
            "WARD": st.just("uci"),
        }
    ),
    min_size=1,
    max_size=40,
)


def stream(table: pa.Table, compression: str | None = None) -> bytes:
    """Return a table as a client writes it."""
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema, options=ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table, max_chunksize=16)
    return bytes(sink.getvalue())


def in_form(rows: list[dict[str, Any]], form: str) -> bytes:
    """Return rows as a stream of one form of texts."""
    table = pa.table({name: pa.array([row[name] for row in rows], pa.string()) for name in rows[0]})
    if form == "polars":
        sink = io.BytesIO()
        pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String)).write_ipc_stream(sink)
        return sink.getvalue()
    if form == "large":
        table = table.cast(pa.schema([(name, pa.large_string()) for name in table.column_names]))
    if form == "dictionary":
        table = pa.table({name: table[name].dictionary_encode() for name in table.column_names})
    return stream(table)


@settings(max_examples=60)
@given(ROWS, st.sampled_from(["plain", "large", "dictionary", "polars"]), st.sampled_from(GroundDetail))
def test_what_is_answered_is_what_json_is_answered(rows: list[dict[str, Any]], form: str, detail: GroundDetail) -> None:
    """Row for row and member for member, however the texts are laid out."""
    json_rows = interpret(RELEASE.panel, read_document({"dataframe_records": rows}))
    document = orjson.loads(encode_answers(RELEASE, json_rows, detail))
    answer = encode_stream(RELEASE, interpret(RELEASE.panel, read_stream(in_form(rows, form))), detail)
    table = ipc.open_stream(answer).read_all()
    table.validate(full=True)
    beside = orjson.loads(table.schema.metadata[b"sirena"])
    predictions = document["predictions"]
    for name in table.column_names:
        cells = table[name].to_pylist()
        if name == "organism":
            assert cells == document["provenance"]["organisms"]
        elif name == "site":
            assert cells == document["provenance"]["sites"]
        elif name.endswith("_ground"):
            assert cells == document["provenance"][name.removesuffix("_ground")]["ground"]
        else:
            assert cells == [prediction.get(name) for prediction in predictions]
    assert {name for prediction in predictions for name in prediction} <= set(table.column_names)
    for member in ("grounds", "reasons", "unknown_specimens"):
        assert beside.get(member) == document.get(member)
    assert beside["provenance"]["Eti_AMK_NM"]["model"] == document["provenance"]["Eti_AMK_NM"]["model"]


def test_an_answer_in_arrow_imports_little_and_its_memory_can_be_given_back(tmp_path: Path) -> None:
    """Some words of Arrow's import all its functions, or pandas, which each worker would then hold for good."""
    table = pa.table(
        {
            "ORGANISM": pa.array(["eco", "kpn", None]).dictionary_encode(),
            "AMK_NM": ["4", None, ">16"],
            "PEN_NM": pa.array([4, None, 2]),
        }
    )
    (tmp_path / "panel.json").write_bytes(orjson.dumps(panel_with_sites().to_json()))
    program = """if True:
        import sys
        from pathlib import Path
        from sirena.serving import memory
        from sirena.serving.core import PANEL_MODEL, interpret
        from sirena.serving.ground_detail import GroundDetail
        from sirena.serving.prepared import PreparedRelease
        from sirena.serving.source import FilePanelSource

        memory.share_free_memory()
        release = PreparedRelease(FilePanelSource(Path(sys.argv[1])).fetch(None).panel)
        from sirena.serving.arrow_bodies import encode_stream, read_stream
        answers = interpret(release.panel, read_stream(sys.stdin.buffer.read()), model=PANEL_MODEL)
        encode_stream(release, answers, GroundDetail.FULL)
        import pyarrow
        print(*sorted({"pandas", "pyarrow.compute"} & set(sys.modules)), pyarrow.default_memory_pool().backend_name)
    """
    process = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "panel.json"], check=True, capture_output=True, input=stream(table)
    )
    assert process.stdout.split() == [b"system"]


def test_memory_can_be_given_back_though_the_registry_imports_arrow_first(tmp_path: Path) -> None:
    """`sirena serve` in one process asks the registry itself, before it serves; here it is refused there."""
    program = """if True:
        import sys
        from sirena.cli import main

        sys.argv = ["sirena", "serve", "--port", "0", "--release", "2020.1"]
        try:
            main()
        except SystemExit:
            print("pyarrow" in sys.modules)
        import pyarrow
        print(pyarrow.default_memory_pool().backend_name)
    """
    settings_given = {"SIRENA_PROFILE": "production", "SIRENA_HOME": str(tmp_path)}
    # a service of another test in this process may have named the pool
    inherited = {name: value for name, value in os.environ.items() if name != "ARROW_DEFAULT_MEMORY_POOL"}
    process = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, env=inherited | settings_given
    )
    assert process.stdout.split() == [b"True", b"system"]


def test_numbers_are_mics_and_the_metadata_names_a_site() -> None:
    """As in JSON; a float of 32 or 16 bits is the number that was meant."""
    table = pa.table(
        {
            "ORGANISM": ["eco", "eco"],
            "AMK_NM": pa.array([4, None]),
            "PEN_NM": pa.array([0.12, 2], pa.float32()),
            "CAZ_NM": pa.array(np.array([0.12, 64], np.float16)),
        }
    ).replace_schema_metadata({"site": "urine"})
    rows = read_stream(stream(table))
    assert list(rows.columns["AMK_NM"]) == [4, None]
    assert list(rows.columns["PEN_NM"]) == [0.12, 2.0]
    assert list(rows.columns["CAZ_NM"]) == [0.12, 64.0]
    assert rows.site is not None
    assert rows.site.value == "urine"


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
@pytest.mark.parametrize("dictionary", [False, True])
def test_compressed_buffers_are_refused_before_they_are_unpacked(compression: str, dictionary: bool) -> None:
    """A hundred megabytes in a few kilobytes: nothing of that size is made."""
    texts = pa.array(["4" * 10_000] * 10_000)
    table = pa.table({"ORGANISM": ["eco"] * len(texts), "AMK_NM": texts})
    if dictionary:
        long = pa.DictionaryArray.from_arrays(pa.array([0], pa.int32()), pa.array(["4" * 50_000_000]))
        table = pa.table({"ORGANISM": ["eco"], "AMK_NM": long})
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema, options=ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    body = sink.getvalue().to_pybytes()
    assert len(body) < 1_000_000
    before = pa.total_allocated_bytes()
    with pytest.raises(UnsupportedMediaTypeError, match="compressed"):
        read_stream(body)
    assert pa.total_allocated_bytes() - before < 1_000_000


def test_cells_are_counted_before_they_are_made() -> None:
    """Rows without a buffer cost nothing to send; so do those that refer to one long text."""
    empty = pa.table({"ORGANISM": pa.nulls(50_000_000), "AMK_NM": pa.nulls(50_000_000)})
    text = b"eco" * 100_000
    view = len(text).to_bytes(4, "little") + text[:4] + bytes(8)
    buffers = [None, pa.py_buffer(view * 100_000), pa.py_buffer(text)]
    views = pa.Array.from_buffers(pa.string_view(), 100_000, buffers)
    aliased = pa.table({"ORGANISM": views, "AMK_NM": pa.nulls(100_000)})
    for table in (empty, aliased):
        sink = pa.BufferOutputStream()
        with ipc.new_stream(sink, table.schema) as writer:
            writer.write_batch(table.to_batches()[0])
        body = sink.getvalue().to_pybytes()
        tracemalloc.start()
        with pytest.raises(TooManyCellsError):
            read_stream(body)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 30_000_000


def test_the_texts_of_a_dictionary_are_made_once() -> None:
    """However many rows refer to them."""
    organisms = pa.DictionaryArray.from_arrays(np.zeros(100_000, dtype=np.int8), pa.array(["x" * 100_000]))
    table = pa.table({"ORGANISM": organisms, "AMK_NM": pa.nulls(100_000)})
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    cells = read_stream(sink.getvalue().to_pybytes()).columns["ORGANISM"]
    assert cells[0] is cells[-1]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"ORGANISM": ["eco"], "AMK_NM": [["4"]]}), "column 2 holds neither texts nor numbers"),
        (
            pa.table([pa.array(["eco"]), pa.array(["4"]), pa.array(["8"])], names=["ORGANISM", "AMK_NM", "AMK_NM"]),
            "distinct",
        ),
        (pa.table({"ORGANISM": ["eco"]}).replace_schema_metadata({"site": "moon"}), "site"),
    ],
)
def test_a_stream_that_is_no_request_is_refused(table: pa.Table, message: str) -> None:
    """In one sentence that repeats nothing of it."""
    with pytest.raises(MalformedBodyError, match=message):
        read_stream(stream(table))


@settings(max_examples=300)
@given(st.data())
def test_no_bytes_whatever_break_it(data: st.DataObject) -> None:
    """Cut off, turned around, or of nothing at all."""
    body = bytearray(in_form([{"ORGANISM": "eco", "AMK_NM": "4"}, {"ORGANISM": "pae", "AMK_NM": None}], "dictionary"))
    for _ in range(data.draw(st.integers(0, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    status = 200
    try:
        interpret(RELEASE.panel, read_stream(bytes(body[: data.draw(st.integers(0, len(body)))])))
    except SirenaError as error:
        status = error.status
    assert status in (200, 400, 413, 415, 422)


def test_the_service_speaks_it_and_its_errors_are_json() -> None:
    """Every route that takes the other forms; a body that is none is 400 with one sentence."""
    body = in_form([{"ORGANISM": "eco", "AMK_NM": "4"}], "plain")
    with service() as running:
        for path in ("/invocations", "/models/modelo_AMK_NM/invocations", "/invocations?ground=none"):
            answer = running.client.post(path, content=body, headers={"Content-Type": TYPE})
            assert answer.status_code == 200
            assert answer.headers["content-type"] == TYPE
            table = ipc.open_stream(answer.content).read_all()
            assert table["Eti_AMK_NM"].to_pylist() == ["S"]
            assert ("Eti_AMK_NM_ground" in table.column_names) == ("none" not in path)
        refused = running.client.post("/invocations", content=body[:100], headers={"Content-Type": TYPE})
        assert refused.status_code == 400
        assert refused.json()["error"]["message"] == "the body is not a stream of Arrow's"


def test_a_client_chooses_how_much_is_said_of_grounds() -> None:
    """None, numbers and each ground once, or the sentence beside each category; short where nothing is chosen."""
    cells = {"ORGANISM": "eco", "AMK_NM": "4"}
    record = {"dataframe_records": [cells]}
    inputs = [{"name": name, "shape": [1], "datatype": "BYTES", "data": [cell]} for name, cell in cells.items()]
    tensors = {"inputs": inputs}
    with service() as running:
        told = {
            detail: running.client.post("/invocations", params={"ground": detail} if detail else {}, json=record).json()
            for detail in ("", "none", "short", "full")
        }
        assert told[""] == told["short"]
        assert "grounds" not in told["none"]
        assert "ground" not in told["none"]["provenance"]["Eti_AMK_NM"]
        assert told["none"]["predictions"] == told["short"]["predictions"]
        sentence = told["full"]["predictions"][0].pop("Eti_AMK_NM_basis")
        assert told["full"] == told["short"]
        (number,) = told["short"]["provenance"]["Eti_AMK_NM"]["ground"]
        assert sentence == told["short"]["grounds"][str(number)]["english"]
        answer = running.client.post("/v2/models/panel_SIR/infer", params={"ground": "full"}, json=tensors).json()
        assert answer["outputs"][-1]["data"] == [sentence]
        refused = running.client.post("/invocations?ground=all", json=record)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "unknown_parameter")
