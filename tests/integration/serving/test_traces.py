"""Traces that OpenTelemetry's variables ask for, received by a collector that reads OTLP as it is on the wire."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from sirena.domain.errors import UsageError
from sirena.serving.asked_traces import asks_for_traces, open_traces
from tests.serving_client import ServiceOnPort, running_service
from tests.trace_collector import Collector, trace_collector

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = f"00-{TRACE}-00f067aa0ba902b7-01"
SECRET = "HC-1048576"
"""Stands in for a patient's number, in a column of the request."""
ISOLATE = {"ORGANISM": "eco", "AMK_NM": "<=2", "CAZ_NM": "1", "PATIENT_ID": SECRET}


def values(attributes: Any) -> dict[str, Any]:
    """Return attributes as Python's values."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in attributes}


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector on a port of its own."""
    with trace_collector() as running:
        yield running


def ask(service: ServiceOnPort, rows: int = 1, **headers: str) -> Any:
    """Ask about isolates."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = service.client.post("/invocations", json={"dataframe_records": [ISOLATE] * rows}, headers=sent)
    assert answer.status_code == 200
    return answer


def test_each_request_and_reload_is_a_span_without_what_was_asked_about(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever way it was answered: by the protocol, by ASGI, by FastAPI; also one that is refused."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    with running_service() as service:
        ask(service)
        ask(service, rows=300)
        assert service.client.get("/version").status_code == 200
        assert service.client.post("/models/modelo_FOX_NM/invocations", json={"inputs": [ISOLATE]}).status_code == 404
    resource = values(collector.requests[0].resource_spans[0].resource.attributes)
    assert resource["service.name"] == "sirena"
    spans = {span.name: values(span.attributes) for span in collector.spans}
    assert spans.keys() == {"reload", "POST /invocations", "GET /version", "POST /models/{name}/invocations"}
    assert spans["reload"] == {"sirena.release": "release-1", "sirena.models": 2}
    rows = [values(span.attributes)["sirena.rows"] for span in collector.spans if span.name == "POST /invocations"]
    assert rows == [1, 300]
    facts = spans["POST /invocations"]
    facts.pop("sirena.request_id")
    assert facts == {
        "http.request.method": "POST",
        "http.route": "/invocations",
        "http.response.status_code": 200,
        "sirena.rows": 300,
        "sirena.models": 2,
        "sirena.release": "release-1",
    }
    refused = spans["POST /models/{name}/invocations"]
    assert (refused["http.response.status_code"], refused["error.type"]) == (404, "unknown_model")
    sent = b"".join(request.SerializeToString() for request in collector.requests)
    assert not any(word in sent for word in (SECRET.encode(), b"eco", b"<=2", b"FOX"))
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano > 0 for span in collector.spans)


def test_a_span_belongs_to_the_callers_trace(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its id stands for the request's own where the caller gave none; a trace that cannot be read is none."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{collector.url}/v1/traces")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "sirena-of-the-hospital")
    with running_service() as service:
        assert ask(service, traceparent=CALLER).headers["X-Request-ID"] == TRACE
        named = ask(service, rows=300, traceparent=CALLER, x_request_id="request-0042")
        assert named.headers["X-Request-ID"] == "request-0042"
        other = ask(service, traceparent="00-nonsense-01").headers["X-Request-ID"]
    logged = [json.loads(line) for line in service.log.getvalue().splitlines()]
    traced = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    assert [values(span.attributes)["sirena.rows"] for span in traced] == [1, 300]
    assert {span.parent_span_id.hex() for span in traced} == {"00f067aa0ba902b7"}
    own = next(span for span in collector.spans if values(span.attributes).get("sirena.request_id") == other)
    assert own.trace_id.hex() != TRACE
    assert not own.parent_span_id
    assert TRACE in {line.get("request_id") for line in logged}
    resource = values(collector.requests[0].resource_spans[0].resource.attributes)
    assert resource["service.name"] == "sirena-of-the-hospital"


def test_a_collector_that_is_away_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens there."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    with running_service() as service:
        assert ask(service).json()["predictions"][0]["Eti_AMK_NM"] == "S"


def test_without_an_endpoint_neither_sdk_nor_exporter_is_imported() -> None:
    """Traces that nobody asks for cost nothing."""
    code = (
        "import sys; import tests.serving_client as client; from sirena.serving.application import create_app;"
        "create_app(client.Given(None));"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "[]"


def test_what_cannot_be_sent_as_asked_is_refused_at_the_start() -> None:
    """Rather than never sent."""
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    with pytest.raises(UsageError, match="http/protobuf alone"):
        open_traces(asked)
    for off in ({"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}):
        assert not asks_for_traces(asked | off)
