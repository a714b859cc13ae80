"""Answering small requests about isolates in the HTTP protocol itself, as soon as the last byte has arrived.

For each request uvicorn makes a task, a scope and messages for an ASGI application, which costs more than answering one
isolate. This subclass of uvicorn's protocol answers such a request where its bytes arrive, in one write.

Rules, each with a test of like name:

- answer, request id, log line and metrics equal those of `HotPath`;
- it answers a POST on a hot route if the body has a declared length, is small, not compressed and not Arrow, and if the
  connection stays open, has no earlier request unanswered and its client reads; all else is left to uvicorn;
- several requests that arrive in one piece are answered in their order;
- a client that leaves before the end of its body is logged as such;
- on shutdown, a request whose body is being read is answered, and then the connection is closed.
"""

import re
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from sirena.serving.answering import Answering, Question, is_answered_at_once
from sirena.serving.hot_path import FIXED_HEADERS, question_of, refusal
from sirena.serving.observation import CLIENT_GONE, Observed, RequestRecorder
from sirena.serving.request_reading import read_headers

_HEADERS_LEFT_TO_UVICORN: Final = frozenset({b"content-encoding", b"expect", b"transfer-encoding", b"upgrade"})
"""Headers that only uvicorn handles; requests that have one are left to it."""
_HEADERS_OF_CONNECTIONS: Final = frozenset({b"connection", b"proxy-connection"})
"""Headers by which the parser takes a client to keep its connection open, whatever the version of HTTP."""
_FIXED_HEADERS: Final = b"".join(b"%s: %s\r\n" % header for header in FIXED_HEADERS) + b"\r\n"
"""The last headers of every response, and the empty line that ends them."""
_MOST_TARGETS: Final = 128
"""Most request targets that are cached: the paths of the models, with a query or two."""
_LONGEST_TARGET: Final = 256
"""Longest target that is cached, in bytes; longer ones are left to uvicorn."""
_PLAIN_PATH: Final = re.compile(rb"[A-Za-z0-9_./-]+")


@dataclass(slots=True)
class _Request:
    """A request whose body is being read."""

    question: Question
    query: bytes
    content_type: str
    facts: Observed
    began: float
    chunks: list[bytes] = field(default_factory=list)


class DirectProtocol(HttpToolsProtocol):
    """uvicorn's protocol, extended to answer small requests itself; `answering_directly` makes a class for an app."""

    answering: Answering
    recorder: RequestRecorder

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Set up one connection, with the arguments that uvicorn gives."""
        super().__init__(*arguments, **options)
        self._request: _Request | None = None
        self._is_ending = False
        self._rests_since: float | None = None
        self._default_headers: list[tuple[bytes, bytes]] | None = None
        self._spelt_default_headers = b""

    def on_message_begin(self) -> None:
        """Begin a request; an ASGI scope is made only if an application will answer."""
        # it may come in one piece with the one before, whose answer began the wait for another
        self._unset_keepalive_if_required()
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        """Decide whether the request is answered here or by uvicorn's application."""
        self._request = self._direct_request()
        if self._request is None:
            url, headers, expects = self.url, self.headers, self.expect_100_continue
            super().on_message_begin()
            self.url, self.expect_100_continue = url, expects
            self.headers += headers  # the scope holds this list
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Store a piece of the request's body."""
        if self._request is None:
            super().on_body(body)
        else:
            self._request.chunks.append(body)

    def on_message_complete(self) -> None:
        """Answer the request, whose body is complete."""
        request, self._request = self._request, None
        if request is None:
            super().on_message_complete()
        else:
            self._answer(request)

    def on_response_complete(self) -> None:
        """Begin the next request that waits in uvicorn's pipeline; if none waits, the connection rests from now on."""
        self._cancel_timer()
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:
            self._rests_since = self.loop.time()

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if it rests for as long as uvicorn allows; else look again when that may be so."""
        self.timeout_keep_alive_task = None
        if self._rests_since is None:
            return
        seconds = self._rests_since + self.timeout_keep_alive - self.loop.time()
        if seconds > 0:
            self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _unset_keepalive_if_required(self) -> None:
        # the timer stays: to cancel it and set another for each request costs more than to let it look
        self._rests_since = None

    def _rest(self) -> None:
        """Do what `on_response_complete` does, for an answer given here: nothing waits, and reading is not paused."""
        self.server_state.total_requests += 1
        self._rests_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def _cancel_timer(self) -> None:
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Log a client that left before the end of its body."""
        self._cancel_timer()
        request, self._request = self._request, None
        if request is not None:
            request.facts.error = "client_gone"
            self.recorder.record("POST", request.question.route, request.facts, CLIENT_GONE, request.began)
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close the connection; if a request's body is being read, answer that request first."""
        self._is_ending = True
        if self._request is None:
            super().shutdown()

    def _direct_request(self) -> _Request | None:
        """Return the request whose headers were read, if it is answered here; else None."""
        parser = self.parser
        cycle: RequestResponseCycle | None = self.cycle
        if parser.get_method() != b"POST" or not parser.should_keep_alive():
            return None
        if self.flow.write_paused or self.transport.is_closing() or (cycle is not None and not cycle.response_complete):
            return None
        question, query = _read_target(self.url) if len(self.url) <= _LONGEST_TARGET else (None, b"")
        if question is None:
            return None
        headers = read_headers(self.headers)
        # without these headers only HTTP/1.1 keeps a connection open, and the parser is slow to tell the version
        if not _HEADERS_OF_CONNECTIONS.isdisjoint(headers) and parser.get_http_version() != "1.1":
            return None
        length = headers.get(b"content-length", b"")
        if not length.isdigit() or not _HEADERS_LEFT_TO_UVICORN.isdisjoint(headers):
            return None
        content_type = headers.get(b"content-type", b"").decode("latin-1")
        size = int(length[:20])
        if size > self.answering.max_body or not is_answered_at_once(size, content_type):
            return None
        return _Request(question, query, content_type, self.recorder.observe(self.headers), time.perf_counter())

    def _spell_default_headers(self) -> bytes:
        """Return uvicorn's default headers as sent; uvicorn makes a new list of them every second."""
        headers = self.server_state.default_headers
        if headers is not self._default_headers:
            self._default_headers = headers
            self._spelt_default_headers = b"".join([b"%s: %s\r\n" % header for header in headers])
        return self._spelt_default_headers

    def _answer(self, request: _Request) -> None:
        facts = request.facts
        chunks = request.chunks
        try:
            body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            reply = self.answering.answer_at_once(request.question, request.query, request.content_type, body, facts)
            status = 200
        except Exception as error:  # noqa: BLE001 - the last net
            status, reply = refusal(error, facts)
        content = reply.content
        self.transport.write(
            b"%s%s%scontent-length: %d\r\ncontent-type: %s\r\nx-request-id: %s\r\n%s%s"
            % (
                STATUS_LINE[status],
                self._spell_default_headers(),
                b"connection: close\r\n" if self._is_ending else b"",
                len(content),
                reply.media_type,
                facts.request_id.encode("ascii"),
                _FIXED_HEADERS,
                content,
            )
        )
        if self._is_ending:
            self.transport.close()
        self.recorder.record("POST", request.question.route, facts, status, request.began)
        self._rest()


@lru_cache(maxsize=_MOST_TARGETS)
def _read_target(target: bytes) -> tuple[Question | None, bytes]:
    """Return what a request's target asks for, and its query; cached, since clients repeat a few targets."""
    path, _, query = target.partition(b"?")
    # what a path that is spelt oddly means, uvicorn knows
    is_plain = _PLAIN_PATH.fullmatch(path) and b"#" not in query
    return question_of(path.decode("ascii")) if is_plain else None, query


def answering_directly(answering: Answering, recorder: RequestRecorder) -> type[DirectProtocol]:
    """Return the protocol class for an application.

    Args:
        answering: answers the requests.
        recorder: records each request.
    """
    return type("DirectProtocol", (DirectProtocol,), {"answering": answering, "recorder": recorder})
