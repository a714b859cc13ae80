"""Whether the environment asks for traces, by OpenTelemetry's own variables; only then is OpenTelemetry imported."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from sirena.domain.errors import UsageError

if TYPE_CHECKING:
    from sirena.serving.tracing import ServiceTraces

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL: Final = "http/protobuf"


def asks_for_traces(environment: Mapping[str, str]) -> bool:
    """Tell whether an environment asks for traces.

    >>> asks_for_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}), asks_for_traces({})
    (True, False)
    """
    is_disabled = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    exporter = environment.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower()
    return not is_disabled and exporter == "otlp" and any(environment.get(name) for name in _ENDPOINTS)


def open_traces(environment: Mapping[str, str]) -> "ServiceTraces | None":
    """Create the sender of traces; None if the environment does not ask for traces.

    Raises:
        UsageError: the environment requests another protocol, or the exporter is not installed.
    """
    if not asks_for_traces(environment):
        return None
    for name in _PROTOCOLS:
        if environment.get(name, _PROTOCOL) != _PROTOCOL:
            raise UsageError(f"{name}: traces are sent by {_PROTOCOL} alone", hint="leave it out")
    try:
        from sirena.serving.tracing import ServiceTraces
    except ImportError as error:
        raise UsageError(
            "traces are asked for, and OpenTelemetry's exporter is not installed",
            hint="install sirena[traces], or unset OTEL_EXPORTER_OTLP_ENDPOINT",
        ) from error
    return ServiceTraces(environment)
