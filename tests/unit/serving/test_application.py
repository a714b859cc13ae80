"""Routes answer, refuse and tell, and never show what was sent."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sirena import __version__
from sirena.serving.alarms import SourceAlarm
from sirena.serving.api_description import CSV_EXAMPLE, INVOCATION_BODY, JSON_EXAMPLES, TENSOR_EXAMPLE, Answers
from tests.panels import panel_with_sites, small_panel
from tests.serving_client import service

JSON = {"Content-Type": "application/json"}
ROW = {"ORGANISM": "eco", "AMK_NM": "4", "CAZ_NM": "<=8"}
SECRET = "Zzyzx Quetzal"


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """A service whose panel is loaded."""
    with service() as running:
        yield running.client


def test_an_isolate_is_answered_with_its_provenance(client: httpx.Client) -> None:
    """Category under the column's own name, NI with its reason, and what both rest on."""
    answer = client.post("/invocations", json={"dataframe_records": [ROW]})
    assert answer.status_code == 200
    assert answer.json()["predictions"] == [{"Eti_AMK_NM": "S", "Eti_CAZ_NM": "NI", "Eti_CAZ_NM_reason": "censored"}]
    provenance = answer.json()["provenance"]
    assert provenance["release"] == "release-1"
    assert provenance["sirena"] == __version__
    assert provenance["organisms"] == ["eco"]
    assert {
        "model": "modelo_AMK_NM",
        "version": "3",
        "edition": "CLSI 2026",
        "basis": "reference",
    }.items() <= provenance["Eti_AMK_NM"].items()
    assert provenance["sites"] == ["unknown"]
    assert answer.json()["unknown_specimens"] == 0
    jsonschema.validate(answer.json(), Answers.model_json_schema())


def test_every_answer_refers_to_its_ground_in_both_languages(client: httpx.Client) -> None:
    """As structure and as a sentence, each once a response; NI by its reason."""
    rows = [ROW, {"ORGANISM": "pae", "AMK_NM": "4"}, {"ORGANISM": "eco", "AMK_NM": "4", "VAN_NM": "1"}]
    answer = client.post("/invocations", json={"dataframe_records": rows}).json()
    numbers = answer["provenance"]["Eti_AMK_NM"]["ground"]
    assert numbers[0] == numbers[2] != numbers[1]
    assert answer["provenance"]["Eti_VAN_NM"]["ground"] == [None, None, None]
    ground = answer["grounds"][str(numbers[0])]
    assert (ground["kind"], ground["susceptible"], ground["resistant"]) == ("breakpoint", 4, 16)
    assert ground["english"] == "species eco; any site; S <= 4, R >= 16 (CLSI 2026, Table 0)"
    assert ground["spanish"] == "eco; cualquier sitio; S <= 4, R >= 16 (CLSI 2026, Table 0)"
    assert set(answer["reasons"]) == {"no_model", "censored"}
    assert answer["reasons"]["no_model"]["spanish"].startswith("La publicación no tiene modelo")


WITH_SPECIMENS: list[dict[str, str | None]] = [
    {"ORGANISM": "spn", "SPEC_TYPE": "bl", "PEN_NM": "1"},
    {"ORGANISM": "spn", "SPEC_TYPE": "LCR", "PEN_NM": "1"},
    {"ORGANISM": "eco", "SPEC_TYPE": None, "NIT_NM": "16"},
    {"ORGANISM": "eco", "SPEC_TYPE": SECRET, "NIT_NM": "16"},
]
SPECIMEN_COLUMNS = {name: [row.get(name) for row in WITH_SPECIMENS] for name in (*WITH_SPECIMENS[0], "NIT_NM")}
SPECIMEN_CSV = "ORGANISM;SPEC_TYPE;PEN_NM;NIT_NM\nspn;bl;1;\nspn;LCR;1;\neco;;;16\neco;Zzyzx Quetzal;;16\n"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps({"dataframe_records": WITH_SPECIMENS}), "application/json"),
        (json.dumps({"instances": WITH_SPECIMENS}), "application/json"),
        (json.dumps({"inputs": SPECIMEN_COLUMNS}), "application/json"),
        (
            json.dumps(
                {
                    "dataframe_split": {
                        "columns": list(SPECIMEN_COLUMNS),
                        "data": list(zip(*SPECIMEN_COLUMNS.values(), strict=True)),
                    }
                }
            ),
            "application/json",
        ),
        (SPECIMEN_CSV, "text/csv"),
    ],
    ids=["records", "instances", "inputs", "split", "csv"],
)
def test_the_specimen_of_a_row_decides_in_every_form(body: str, content_type: str) -> None:
    """Meningitis apart, urine rows marked where nothing is known, unknown words counted and not repeated."""
    with service() as running:
        running.source.panel = panel_with_sites()
        running.holder.refresh()
        response = running.client.post("/invocations", content=body, headers={"Content-Type": content_type})
        answer = response.json()
        metrics = running.client.get("/metrics").text
    urine = {"Eti_PEN_NM": None, "Eti_NIT_NM": "S", "Eti_NIT_NM_mark": "urine_only"}
    assert answer["predictions"] == [
        {"Eti_PEN_NM": "S", "Eti_NIT_NM": None},
        {"Eti_PEN_NM": "R", "Eti_NIT_NM": None},
        urine,
        urine,
    ]
    assert answer["provenance"]["sites"] == ["blood", "csf", "unknown", None]
    assert answer["unknown_specimens"] == 1
    assert "sirena_unknown_specimens_total 1.0" in metrics
    assert SECRET not in response.text + metrics + running.log.getvalue()


def test_one_site_for_a_whole_request() -> None:
    """By params of MLflow's protocol and by parameters of the Open Inference Protocol."""
    tensors = [
        {"name": name, "shape": [1], "datatype": "BYTES", "data": [cell]}
        for name, cell in (("ORGANISM", "spn"), ("PEN_NM", "1"))
    ]
    with service() as running:
        running.source.panel = panel_with_sites()
        running.holder.refresh()
        row = {"ORGANISM": "spn", "PEN_NM": "1"}
        for site, category in (("csf", "R"), ("unknown", "S"), ("specimen", "S"), ("BLOOD", "S")):
            body = {"dataframe_records": [row], "params": {"site": site}}
            answered = running.client.post("/invocations", json=body).json()
            assert answered["predictions"][0]["Eti_PEN_NM"] == category
            body = {"inputs": tensors, "parameters": {"site": site}}
            answered = running.client.post("/v2/models/panel_SIR/infer", json=body).json()
            assert answered["outputs"][0]["data"] == [category]
            assert len(answered["outputs"]) == (3 if site in ("unknown", "specimen") else 2)
        for wrong in ("kidney", "", 7, ["csf"]):
            for path, body in (
                ("/invocations", {"dataframe_records": [row], "params": {"site": wrong}}),
                ("/v2/models/panel_SIR/infer", {"inputs": tensors, "parameters": {"site": wrong}}),
            ):
                refused = running.client.post(path, json=body)
                assert (refused.status_code, refused.json()["error"]["code"]) == (400, "malformed_body")
                assert "kidney" not in refused.text


def test_an_empty_mic_is_null_and_every_row_has_its_record(client: httpx.Client) -> None:
    """Rows are never dropped."""
    rows = [{"ORGANISM": "eco", "AMK_NM": cell} for cell in ("", None, "4", " ")]
    answer = client.post("/invocations", json={"dataframe_records": rows})
    assert [row["Eti_AMK_NM"] for row in answer.json()["predictions"]] == [None, None, "S", None]


def test_no_rows_get_no_records(client: httpx.Client) -> None:
    """An empty frame is a question too."""
    answer = client.post("/invocations", json={"dataframe_split": {"columns": ["ORGANISM", "AMK_NM"], "data": []}})
    assert (answer.status_code, answer.json()["predictions"]) == (200, [])


@pytest.mark.parametrize("form", sorted(JSON_EXAMPLES))
def test_every_documented_example_is_answered(client: httpx.Client, form: str) -> None:
    """What /docs shows works."""
    assert client.post("/invocations", json=JSON_EXAMPLES[form]["value"]).json()["predictions"] == [
        {"Eti_AMK_NM": "S", "Eti_CAZ_NM": "R"}
    ]


def test_a_path_spelt_oddly_gets_the_same_answer(client: httpx.Client) -> None:
    """What FastAPI takes for the route and the hot path does not is answered, logged and counted alike."""
    bodies = [
        client.post(path, json={"dataframe_records": [ROW]}, headers={"X-Request-ID": "trace-12345"})
        for path in ("/invocations", "/invocations%0A")
    ]
    assert bodies[0].content == bodies[1].content
    assert [bodies[0].headers[name] for name in bodies[0].headers if name != "date"] == [
        bodies[1].headers[name] for name in bodies[1].headers if name != "date"
    ]


def test_csv_is_answered_in_json(client: httpx.Client) -> None:
    """A spreadsheet's text can be posted as it is."""
    answer = client.post("/invocations", content=CSV_EXAMPLE, headers={"Content-Type": "text/csv"})
    assert answer.json()["predictions"] == [{"Eti_AMK_NM": "S", "Eti_CAZ_NM": "R"}]


def test_one_model_answers_under_its_own_route(client: httpx.Client) -> None:
    """The rest of the row is left to the other models."""
    body = {"dataframe_records": [ROW]}
    assert client.post("/models/modelo_AMK_NM/invocations", json=body).json()["predictions"] == [{"Eti_AMK_NM": "S"}]
    assert len(client.post("/models/panel_SIR/invocations", json=body).json()["predictions"][0]) == 3
    missing = client.post("/models/modelo_VAN_NM/invocations", json=body)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "unknown_model")


def test_tensors_are_answered_by_the_same_core(client: httpx.Client) -> None:
    """Open Inference Protocol: the same answers in another dress."""
    answer = client.post("/v2/models/panel_SIR/infer", json={**TENSOR_EXAMPLE, "id": "7"}).json()
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("panel_SIR", "release-1", "7")
    assert {tensor["name"]: tensor["data"] for tensor in answer["outputs"]} == {
        "Eti_AMK_NM": ["S"],
        "Eti_AMK_NM_reason": [""],
        "Eti_CAZ_NM": ["R"],
        "Eti_CAZ_NM_reason": [""],
    }
    assert answer["parameters"]["provenance"]["Eti_AMK_NM"]["version"] == "3"
    column = {"inputs": [{"name": "ORGANISM", "shape": [2, 1], "datatype": "BYTES", "data": [["eco"], ["eco"]]}]}
    column["inputs"].append({"name": "AMK_NM", "shape": [2], "datatype": "FP32", "data": [4, 64.0]})
    single = client.post("/v2/models/modelo_AMK_NM/infer", json=column).json()
    assert single["outputs"][0]["data"] == ["S", "R"]
    assert single["model_version"] == "3"


def test_model_metadata_lists_the_tensors(client: httpx.Client) -> None:
    """A generic client can discover what to send."""
    described = client.get("/v2/models/modelo_AMK_NM").json()
    assert [tensor["name"] for tensor in described["inputs"]] == ["ORGANISM", "SPEC_TYPE", "AMK_NM"]
    assert described["versions"] == ["3"]
    assert client.get("/v2/models/modelo_AMK_NM/ready").status_code == 200
    assert client.get("/v2/models/modelo_XXX_NM").status_code == 404
    assert client.get("/v2").json()["name"] == "sirena"
    assert client.get("/v2/health/live").status_code == client.get("/v2/health/ready").status_code == 200


BAD_TENSORS = [
    {},
    {"inputs": []},
    {"inputs": [1]},
    {"inputs": [{"name": "ORGANISM", "shape": [2], "data": ["eco"]}]},
    {"inputs": [{"name": "ORGANISM", "shape": [[1]], "data": ["eco"]}]},
    {"inputs": [{"name": "ORGANISM", "shape": [1]}]},
    {"inputs": [{"name": "ORGANISM", "shape": [1], "data": ["eco"]}, {"name": "AMK_NM", "shape": [0], "data": []}]},
    {"inputs": [{"name": "ORGANISM", "shape": [1], "data": ["eco"]}] * 2},
    {"inputs": TENSOR_EXAMPLE["inputs"], "id": "\ud800"},
    {"inputs": TENSOR_EXAMPLE["inputs"], "id": 7},
]


@pytest.mark.parametrize("body", BAD_TENSORS, ids=range(len(BAD_TENSORS)))
def test_malformed_tensors_are_refused(client: httpx.Client, body: dict[str, object]) -> None:
    """Shapes are checked before anything is answered."""
    assert client.post("/v2/models/panel_SIR/infer", content=json.dumps(body), headers=JSON).status_code == 400


def test_nothing_is_ready_before_a_panel_is_loaded() -> None:
    """Alive, not ready, and an answer that says so."""
    with service(loaded=False) as running:
        client = running.client
        assert client.get("/livez").status_code == 200
        for path in ("/ping", "/health", "/readyz", "/v2/health/ready", "/v2/models/panel_SIR"):
            assert (client.get(path).status_code, client.get(path).json()["error"]["code"]) == (503, "not_ready")
        assert client.post("/invocations", json={"dataframe_records": [ROW]}).status_code == 503
        assert client.get("/version").json()["release"] is None
        assert client.get("/metrics").status_code == 200


def test_health_and_version_tell_the_release(client: httpx.Client) -> None:
    """What answers now can be asked."""
    for path in ("/ping", "/health", "/readyz"):
        assert client.get(path).json() == {"status": "ready", "release": "release-1", "source": {"state": "ok"}}
    version = client.get("/version").json()
    assert version["sirena"] == __version__
    assert version["models"] == {"modelo_AMK_NM": "3", "modelo_CAZ_NM": "3"}


def test_alarms_stand_beside_the_source_and_in_the_metrics() -> None:
    """What is not what was judged takes no answer away, and is told while it lasts; each store has its own number."""
    with service() as running:
        client = running.client
        running.source.alarms = (SourceAlarm("alias", "another one"), SourceAlarm("row", "a tag"))
        assert not running.holder.refresh()
        assert client.get("/readyz").json()["source"] == {
            "state": "alarm",
            "alarms": [{"store": "alias", "text": "another one"}, {"store": "row", "text": "a tag"}],
        }
        assert client.post("/invocations", json={"dataframe_records": [ROW]}).status_code == 200
        text = client.get("/metrics").text
        running.source.alarms = ()
        running.holder.refresh()
        assert client.get("/readyz").json()["source"] == {"state": "ok"}
    counts = {"alias": 1, "row": 1, "artifact": 0, "cache": 0, "ledger": 0}
    assert all(f'sirena_panel_alarms{{store="{store}"}} {count}.0' in text for store, count in counts.items())


@pytest.mark.parametrize(
    ("path", "content", "headers", "status", "code"),
    [
        ("/invocations", b"{", JSON, 400, "malformed_body"),
        ("/invocations", b'{"dataframe_records": [{"ORGANISM": "eco"}]}', JSON, 400, "nothing_to_answer"),
        ("/invocations", b"{}", {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
        ("/invocations", b"{}", {}, 415, "unsupported_media_type"),
        ("/invocations", b"{}", {**JSON, "Content-Encoding": "gzip"}, 415, "unsupported_media_type"),
        ("/invocations", b" " * 100_001, JSON, 413, "body_too_large"),
        ("/v2/models/panel_SIR/infer", b"{}", {"Content-Type": "text/csv"}, 415, "unsupported_media_type"),
        ("/nowhere", b"{}", JSON, 404, "not_found"),
        ("/readyz", b"{}", JSON, 405, "method_not_allowed"),
    ],
)
def test_every_refusal_has_one_shape(
    client: httpx.Client, path: str, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """Code, message and request id; the id stands in the header too."""
    answer = client.post(path, content=content, headers=headers)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["code"] == code
    assert set(error) == {"code", "message", "request_id", "hint"}
    assert error["request_id"] == answer.headers["X-Request-ID"]


def test_a_chunked_body_is_counted_too(client: httpx.Client) -> None:
    """A body that declares no length cannot slip past the limit."""
    answer = client.post("/invocations", content=(b" " * 10_000 for _ in range(20)), headers=JSON)
    assert answer.status_code == 413


def test_a_callers_request_id_is_kept_when_it_is_one(client: httpx.Client) -> None:
    """Traces join up, and nothing else gets into a header or a log."""
    assert client.get("/livez", headers={"X-Request-ID": "trace-12345"}).headers["X-Request-ID"] == "trace-12345"
    assert client.get("/livez", headers={"X-Request-ID": SECRET}).headers["X-Request-ID"] != SECRET


def test_an_unforeseen_error_shows_neither_trace_nor_input() -> None:
    """The caller gets the one shape, the log the place."""
    with service() as running:
        client, log = running.client, running.log
        running.holder._loaded_panel = object()  # type: ignore[assignment]
        answer = client.post("/invocations", json={"dataframe_records": [{"ORGANISM": SECRET, "AMK_NM": "4"}]})
        assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert SECRET not in answer.text + log.getvalue()
    assert "Traceback" not in answer.text + log.getvalue()
    assert "AttributeError at holder.py:" in log.getvalue()


def test_one_log_line_a_request_without_values() -> None:
    """Route template, status and counts: never a path, an organism or an MIC."""
    with service() as running:
        client, log = running.client, running.log
        client.post("/invocations", json={"dataframe_records": [{"ORGANISM": SECRET, "AMK_NM": "4.125", "N": SECRET}]})
        client.get(f"/{SECRET}")
        client.post("/models/Zzyzx/invocations", json={"inputs": {"ORGANISM": SECRET, "AMK_NM": "4"}})
    # the service has ended, so no line waits to be written
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["route"], line["status"], line["rows"]) for line in requests] == [
        ("/invocations", 200, 1),
        ("other", 404, 0),
        ("/models/{name}/invocations", 404, 0),
    ]
    assert requests[0]["release"] == "release-1"
    assert not any(word in log.getvalue() for word in ("Zzyzx", "4.125"))


def test_metrics_count_requests_and_answers_without_free_text() -> None:
    """Labels come from fixed sets, so no caller can add a series or leave a name in one."""
    with service() as running:
        client = running.client
        rows = [{"ORGANISM": SECRET, "AMK_NM": "4", "VAN_NM": "1"}, {"ORGANISM": "eco", "AMK_NM": "4", "VAN_NM": "1"}]
        client.post("/invocations", json={"dataframe_records": rows})
        client.request("ZZYZX", "/invocations")
        text = client.get("/metrics").text
    assert 'sirena_answers_total{category="S",column="AMK_NM",reason=""} 1.0' in text
    assert 'sirena_answers_total{category="NI",column="AMK_NM",reason="unknown_organism"} 1.0' in text
    assert 'sirena_answers_total{category="NI",column="other",reason="no_model"} 2.0' in text
    assert 'sirena_requests_total{method="POST",route="/invocations",status="200"} 1.0' in text
    assert 'sirena_panel_info{release="release-1"} 1.0' in text
    assert "sirena_panel_source_up 1.0" in text
    assert "zyzx" not in text.lower()


def test_docs_need_nothing_from_elsewhere(client: httpx.Client) -> None:
    """A hospital without internet reads the page, and every route stands in it."""
    page = client.get("/docs").text
    document = client.get("/openapi.json").json()
    assert "https://" not in page
    assert "<script" not in page
    for path in ("/invocations", "/models/{name}/invocations", "/v2/models/{name}/infer", "/readyz", "/metrics"):
        assert path in document["paths"]
        assert path in page
    operation = document["paths"]["/invocations"]["post"]
    assert operation["requestBody"] == INVOCATION_BODY["requestBody"]
    assert operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("Answers")
    assert "ErrorAnswer" in document["components"]["schemas"]


def test_clients_made_from_the_description_get_what_it_says(client: httpx.Client) -> None:
    """Of what such clients found: the type of the metrics, empty bodies, and what a refused method should have been."""
    document = client.get("/openapi.json").json()
    described = document["paths"]["/metrics"]["get"]["responses"]["200"]["content"]
    assert list(described) == [client.get("/metrics").headers["content-type"].partition(";")[0]]
    empty: list[tuple[str, dict[str, list[str]]]] = [
        ("/invocations", {"dataframe_records": []}),
        ("/v2/models/modelo_AMK_NM/infer", {"inputs": []}),
    ]
    for path, body in empty:
        assert client.post(path, json=body).status_code == 400
        content = document["paths"][path.replace("modelo_AMK_NM", "{name}")]["post"]["requestBody"]["content"]
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(body, content["application/json"]["schema"])
    refused = client.request("TRACE", "/invocations")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


def test_requests_at_the_same_time_never_exchange_rows() -> None:
    """Each of many concurrent callers gets the answers to its own rows, in its own order."""
    with service(max_body=10_000_000) as running:
        client, panel = running.client, small_panel()

        def ask(number: int) -> None:
            count = 1 + number % 40 if number % 10 else 3000
            cells = [str(2.0 ** ((row * number + number) % 9)) for row in range(count)]
            names = [("eco", "pae")[(row + number) % 2] for row in range(count)]
            rows = [{"ORGANISM": name, "AMK_NM": cell} for name, cell in zip(names, cells, strict=True)]
            got = client.post("/invocations", json={"dataframe_records": rows}).json()["predictions"]
            expected = [panel.answer_one("AMK_NM", *pair) for pair in zip(names, cells, strict=True)]
            assert [row["Eti_AMK_NM"] for row in got] == [answer and answer.category.value for answer in expected]

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, range(1, 121)))


TEXT = st.one_of(st.text(max_size=20), st.sampled_from(["eco", "4", ">16", "AMK_NM", "ORGANISM", "", SECRET]))
CELL = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
NAMES = st.one_of(st.sampled_from(["ORGANISM", "SPEC_TYPE", "AMK_NM", "CAZ_NM", "AMK_EM", "AMK_ND30", "x"]), TEXT)
RECORDS = st.lists(st.one_of(st.dictionaries(NAMES, CELL, max_size=5), CELL), max_size=4)
COLUMNS = st.dictionaries(NAMES, st.one_of(st.lists(CELL, max_size=3), CELL), max_size=4)
DOCUMENTS = st.one_of(
    CELL,
    st.fixed_dictionaries({"dataframe_records": RECORDS}),
    st.fixed_dictionaries({"instances": st.one_of(RECORDS, COLUMNS)}),
    st.fixed_dictionaries({"inputs": st.one_of(RECORDS, COLUMNS, CELL)}),
    st.fixed_dictionaries(
        {
            "dataframe_split": st.fixed_dictionaries(
                {"columns": st.lists(NAMES, max_size=3), "data": st.lists(st.lists(CELL, max_size=3), max_size=3)}
            )
        }
    ),
)
TENSOR = st.fixed_dictionaries(
    {
        "name": st.one_of(NAMES, CELL),
        "shape": st.sampled_from([[1], [2], [1, 1], [], 1]),
        "data": st.lists(CELL, max_size=2),
    }
)
TENSORS = st.fixed_dictionaries({"inputs": st.lists(TENSOR, max_size=3)}, optional={"id": CELL, "parameters": CELL})
BODIES = st.one_of(
    st.binary(max_size=200), st.one_of(DOCUMENTS, TENSORS).map(lambda document: json.dumps(document).encode())
)
TYPES = st.sampled_from(["application/json", "text/csv", "application/json; charset=utf-8", "text/html", ""])
PATHS = st.sampled_from(
    ["/invocations", "/models/modelo_AMK_NM/invocations", "/v2/models/panel_SIR/infer", "/models/panel_SIR/invocations"]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PATHS, BODIES, TYPES)
def test_no_body_whatever_breaks_the_service_or_comes_back(
    client: httpx.Client, path: str, body: bytes, content_type: str
) -> None:
    """Any bytes get an answer or a refusal, and a refusal never repeats them."""
    answer = client.post(path, content=body, headers={"Content-Type": content_type})
    assert answer.status_code in {200, 400, 413, 415, 422}
    answer.json()
    if answer.status_code != 200:
        assert SECRET not in answer.text
        assert set(answer.json()) == {"error"}
