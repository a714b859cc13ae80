"""OpenTelemetry traces: a span for each request and each reload, sent as OTLP (protobuf over HTTP).

This module is imported only if traces are asked for, see `asked_traces`. Spans are made when a request is recorded, so
they do not depend on the path by which it was answered.

Rules, each with a test of like name:

- a span has the same facts as the request's log line, and nothing about isolates;
- a span belongs to the trace that the client's ``traceparent`` (W3C Trace Context) names;
- a request without an id gets the id of its client's trace, in response and log;
- an unreachable collector changes no answer.
"""

import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from sirena.serving.logs import ServiceLog
from sirena.serving.metrics import ServiceMetrics
from sirena.serving.observation import Observed, RequestRecorder, given_id, request_id

_TRACE_HEADERS: Final = (b"traceparent", b"tracestate")
_SERVER_ERROR: Final = 500


class ServiceTraces:
    """Makes spans and sends them in the background; spans that cannot be sent are dropped."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Set the environment, whose OpenTelemetry variables name the collector; the default service is ``sirena``."""
        self._environment = environment
        self._propagator = TraceContextTextMapPropagator()

    @cached_property
    def _provider(self) -> TracerProvider:
        """The provider of spans; made at the first span, since its thread would not survive a fork."""
        environment = self._environment
        resource = Resource.create()
        if "OTEL_SERVICE_NAME" not in environment and "service.name" not in environment.get(
            "OTEL_RESOURCE_ATTRIBUTES", ""
        ):
            resource = resource.merge(Resource({"service.name": "sirena"}))
        # its own, not the process's: MLflow's tracing has nothing to do with questions about isolates
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return provider

    @cached_property
    def _tracer(self) -> Tracer:
        return self._provider.get_tracer("sirena")

    def recorder(self, log: ServiceLog, metrics: ServiceMetrics) -> "TracingRecorder":
        """Return a recorder that makes a span for each request it records."""
        return TracingRecorder(log, metrics, self)

    def context_of(self, headers: Iterable[tuple[bytes, bytes]]) -> Context:
        """Return the trace that a request's headers name; an empty context if the headers name no trace."""
        trace_headers = {name.decode(): value.decode("latin-1") for name, value in headers if name in _TRACE_HEADERS}
        return self._propagator.extract(trace_headers, Context())

    def add_request(self, seconds: float, attributes: Mapping[str, Any], context: Context) -> None:
        """Add the span of a finished request.

        Args:
            seconds: duration of the request until now.
            attributes: facts of the request, by OpenTelemetry's names.
            context: trace that the request belongs to; an empty context begins a new trace.
        """
        end = time.time_ns()
        span = self._tracer.start_span(
            f"{attributes['http.request.method']} {attributes['http.route']}",
            context,
            SpanKind.SERVER,
            dict(attributes),
            start_time=end - int(seconds * 1e9),
        )
        if attributes["http.response.status_code"] >= _SERVER_ERROR:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)

    def add_reload(self, facts: Mapping[str, str]) -> None:
        """Add the span of a release that was loaded into use.

        Args:
            facts: ``release``, ``models``, and ``milliseconds``, the duration until now.
        """
        end = time.time_ns()
        attributes: dict[str, str | int] = {"sirena.release": facts["release"], "sirena.models": int(facts["models"])}
        begin = end - int(facts["milliseconds"]) * 1_000_000
        self._tracer.start_span("reload", Context(), attributes=attributes, start_time=begin).end(end)

    def close(self) -> None:
        """Send the waiting spans, and stop sending."""
        self._provider.shutdown()


class TracingRecorder(RequestRecorder):
    """A recorder that also makes a span for each request."""

    def __init__(self, log: ServiceLog, metrics: ServiceMetrics, traces: ServiceTraces) -> None:
        """Set the log, the metrics and the sender of traces."""
        super().__init__(log, metrics)
        self._traces = traces

    def observe(self, headers: Iterable[tuple[bytes, bytes]]) -> Observed:
        """Begin to observe a request, in the trace that its client names."""
        header_list = list(headers)
        context = self._traces.context_of(header_list)
        parent = get_current_span(context).get_span_context()
        identifier = given_id(header_list) or (f"{parent.trace_id:032x}" if parent.is_valid else request_id(()))
        return Observed(identifier, trace=context)

    def record(self, method: str, route: str, facts: Observed, status: int, began: float) -> None:
        """Record a finished request, and make its span."""
        super().record(method, route, facts, status, began)
        attributes = {
            "http.request.method": method if method.isalpha() else "_OTHER",
            "http.route": route,
            "http.response.status_code": status,
            "sirena.request_id": facts.request_id,
            "sirena.rows": facts.rows,
            "sirena.models": facts.columns,
            "sirena.release": facts.release,
            "error.type": facts.error,
        }
        known_attributes = {name: value for name, value in attributes.items() if value is not None}
        self._traces.add_request(time.perf_counter() - began, known_attributes, facts.trace)
