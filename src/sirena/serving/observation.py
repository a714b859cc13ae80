"""Observing every request: its id, one log line, its metrics, and the response after an unexpected error.

A log line contains the route's template and counts, never a path, an MIC, an organism or a patient's identifier.
"""

import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sirena.serving.logs import ServiceLog
from sirena.serving.metrics import OTHER, ServiceMetrics

REQUEST_ID: Final = "X-Request-ID"
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9_.-]{8,64}")
_ID_BYTES: Final = 16
_IDS_AT_ONCE: Final = 256
_KEY: Final = "sirena.observed"
CLIENT_GONE: Final = 499
"""Status for a request whose client left before the answer."""


@dataclass(slots=True)
class Observed:
    """The facts of a request, filled in while it is answered."""

    request_id: str
    rows: int = 0
    columns: int = 0
    bytes_in: int = 0
    release: str | None = None
    error: str | None = None
    trace: Any = None
    """OpenTelemetry's context of the client's trace, if traces are sent; see `tracing`."""


def observed(scope: Scope) -> Observed:
    """Return the facts of a request, from its ASGI scope."""
    facts: Observed = scope[_KEY]
    return facts


def error_body(code: str, message: str, hint: str, request_id: str) -> bytes:
    """Return the body of an error, in the form common to all."""
    error = {"code": code, "message": message, "request_id": request_id}
    return orjson.dumps({"error": error | ({"hint": hint} if hint else {})})


class RequestRecorder:
    """Writes one log line for each request and counts the request."""

    def __init__(self, log: ServiceLog, metrics: ServiceMetrics) -> None:
        """Set the log and the metrics."""
        self._log = log
        self._metrics = metrics

    def observe(self, headers: Iterable[tuple[bytes, bytes]]) -> Observed:
        """Begin to observe a request.

        Args:
            headers: headers of the request, names in lower case.
        """
        return Observed(given_id(headers) or _own_ids.take())

    def record(self, method: str, route: str, facts: Observed, status: int, began: float) -> None:
        """Record a finished request.

        Args:
            method: HTTP method.
            route: template of the request's route.
            facts: facts of the request.
            status: HTTP status of the response.
            began: value of `time.perf_counter` at the request's arrival.
        """
        seconds = time.perf_counter() - began
        self._metrics.count_request(route, method, status, seconds)
        if facts.error is not None:
            self._metrics.count_error(facts.error)
        self._log.info_soon(
            "request",
            {
                "request_id": facts.request_id,
                "method": method if method.isalpha() else OTHER,
                "route": route,
                "status": status,
                "milliseconds": round(seconds * 1000, 2),
                "bytes_in": facts.bytes_in,
                "rows": facts.rows,
                "columns": facts.columns,
                "release": facts.release,
                "error": facts.error,
            },
        )


class RequestObserver:
    """ASGI middleware around FastAPI's routes; the outermost of Sirena's middleware."""

    def __init__(self, app: ASGIApp, *, recorder: RequestRecorder) -> None:
        """Wrap an application.

        Args:
            app: the application.
            recorder: records every request.
        """
        self._app = app
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        facts = scope[_KEY] = self._recorder.observe(scope["headers"])
        status = CLIENT_GONE

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID] = facts.request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, send_observed)
        except ClientDisconnect:
            facts.error = "client_gone"
        except Exception as error:  # noqa: BLE001 - the last net: the caller gets the one shape, the log the place
            facts.error = unforeseen(error)
            if status == CLIENT_GONE:
                body = internal_error_body(facts.request_id)
                headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
                await send_observed({"type": "http.response.start", "status": 500, "headers": headers})
                await send_observed({"type": "http.response.body", "body": body})
        finally:
            route = getattr(scope.get("route"), "path", OTHER)
            self._recorder.record(scope["method"], route, facts, status, began)


def request_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the id that the client gave the request; a new id if the client gave no valid one."""
    return given_id(headers) or _own_ids.take()


def given_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Return the id that the client gave the request; empty if the client gave no valid one."""
    for name, value in headers:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            if _SAFE_ID.fullmatch(text):
                return text
    return ""


class _OwnIds:
    """Random request ids, taken from the system many at a time."""

    def __init__(self) -> None:
        self._ids: list[str] = []

    def take(self) -> str:
        """Return a new id."""
        if not self._ids:
            digits = os.urandom(_ID_BYTES * _IDS_AT_ONCE).hex()
            self._ids = [digits[start : start + 2 * _ID_BYTES] for start in range(0, len(digits), 2 * _ID_BYTES)]
        return self._ids.pop()


_own_ids: Final = _OwnIds()


def unforeseen(error: BaseException) -> str:
    """Return type, file and line of an error; never its message, which may echo input."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else "unknown"
    return f"{type(error).__name__} at {place}"


def internal_error_body(request_id: str) -> bytes:
    """Return the body that the client gets for an unexpected error."""
    return error_body(
        "internal", "the request failed inside the service", "tell the operator the request id", request_id
    )
