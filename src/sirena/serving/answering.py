"""Answering a request, independent of the HTTP server: headers and body in, JSON or Arrow out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from starlette.types import Receive

from sirena.serving.answer_bodies import encode_answers
from sirena.serving.core import Interpretation, interpret
from sirena.serving.ground_detail import GroundDetail, read_detail
from sirena.serving.holder import PanelHolder
from sirena.serving.inference_protocol import encode_tensors, read_tensors
from sirena.serving.long_bodies import LongBodies
from sirena.serving.metrics import ServiceMetrics
from sirena.serving.observation import Observed
from sirena.serving.one_row import RecordAnswer, answer_record
from sirena.serving.prepared import PreparedRelease
from sirena.serving.request_bodies import (
    ARROW_TYPE,
    is_arrow,
    is_json,
    load_json,
    only_record,
    read_document,
    read_rows,
    require_json,
)
from sirena.serving.request_reading import read_body
from sirena.serving.shadow import Shadow

_IN_THE_LOOP: Final = 64 * 1024
"""Largest body, in bytes, that is answered in the event loop."""


class Question(NamedTuple):
    """What a request asks for, by its path."""

    route: str
    """Template of the route."""
    model: str
    """Registered name of the model that answers."""
    tensors: bool
    """True if body and answer have the form of the Open Inference Protocol."""


class Reply(NamedTuple):
    """The body and media type of a response."""

    content: bytes
    media_type: bytes = b"application/json"


@dataclass(frozen=True, slots=True)
class Answering:
    """Answers requests with the panel in use."""

    holder: PanelHolder
    metrics: ServiceMetrics
    shadow: Shadow
    long_bodies: LongBodies
    max_body: int
    """Largest body, in bytes."""

    async def answer(
        self, question: Question, query: bytes, headers: Mapping[bytes, bytes], receive: Receive, facts: Observed
    ) -> Reply:
        """Return the response to a request.

        Args:
            question: which model is asked, and in which form.
            query: query of the request's URL.
            headers: headers of the request, names in lower case.
            receive: ASGI function that gives the body.
            facts: record of the request, which is filled in here.

        Raises:
            SirenaError: the request cannot be answered; the error has an HTTP status.
            ClientDisconnect: the client closed the connection.
        """
        release = self.holder.require_release()
        detail = read_detail(query)
        content_type = headers.get(b"content-type", b"").decode("latin-1")
        work = _infer if question.tensors else _invoke
        with self.long_bodies.counter() as count:
            body = await read_body(headers, receive, self.max_body, count)
            facts.bytes_in = len(body)
            if is_answered_at_once(len(body), content_type):
                interpretation, reply = work(release, body, content_type, question.model, detail)
            else:
                interpretation, reply = await self.long_bodies.run(
                    receive, work, release, body, content_type, question.model, detail
                )
        self._note(release, interpretation, facts)
        self._offer(release, question, content_type, body)
        return reply

    def answer_at_once(
        self, question: Question, query: bytes, content_type: str, body: bytes, facts: Observed
    ) -> Reply:
        """Return the response to a body for which `is_answered_at_once` is True.

        Raises:
            SirenaError: the request cannot be answered; the error has an HTTP status.
        """
        release = self.holder.require_release()
        detail = read_detail(query)
        work = _infer if question.tensors else _invoke
        facts.bytes_in = len(body)
        interpretation, reply = work(release, body, content_type, question.model, detail)
        self._note(release, interpretation, facts)
        self._offer(release, question, content_type, body)
        return reply

    def _offer(self, release: PreparedRelease, question: Question, content_type: str, body: bytes) -> None:
        # what a release answered that was replaced meanwhile says nothing of the active one
        if self.shadow.is_on and release is self.holder.require_release():
            self.shadow.offer(release.panel, question.model, content_type, body, is_tensors=question.tensors)

    def _note(self, release: PreparedRelease, interpretation: Interpretation | RecordAnswer, facts: Observed) -> None:
        facts.release = release.panel.release
        if isinstance(interpretation, RecordAnswer):
            facts.rows = 1
            facts.columns = len(interpretation.counts)
            self.metrics.count_one(
                interpretation.counts, interpretation.unknown_specimens, interpretation.unknown_organisms
            )
        else:
            facts.rows = len(interpretation.organisms)
            facts.columns = len(interpretation.test_columns)
            self.metrics.count_answers(release, interpretation)


def is_answered_at_once(length: int, content_type: str) -> bool:
    """Tell whether a body of this length is answered in the event loop, where a thread would cost more than it saves.

    An Arrow body is not, since the first one imports PyArrow.

    >>> is_answered_at_once(200, "application/json"), is_answered_at_once(2**27, "application/json")
    (True, False)
    """
    return length <= _IN_THE_LOOP and not is_arrow(content_type)


def _invoke(
    release: PreparedRelease, body: bytes, content_type: str, model: str, detail: GroundDetail
) -> tuple[Interpretation | RecordAnswer, Reply]:
    if is_arrow(content_type):
        # PyArrow takes memory and time to import, which callers that speak JSON need not pay
        from sirena.serving.arrow_bodies import encode_stream, read_stream

        interpretation = interpret(release.panel, read_stream(body), model=model)
        return interpretation, Reply(encode_stream(release, interpretation, detail), ARROW_TYPE.encode())
    document: Any = None
    if is_json(content_type):
        document = load_json(body)
        record = only_record(document)
        if record is not None:
            quick = answer_record(release, *record, model, detail)
            if quick is not None:
                return quick, Reply(quick.content)
        rows = read_document(document)
    else:
        rows = read_rows(body, content_type)
    interpretation = interpret(release.panel, rows, model=model)
    return interpretation, Reply(encode_answers(release, interpretation, detail))


def _infer(
    release: PreparedRelease, body: bytes, content_type: str, model: str, detail: GroundDetail
) -> tuple[Interpretation | RecordAnswer, Reply]:
    require_json(content_type)
    rows, identifier = read_tensors(body)
    interpretation = interpret(release.panel, rows, model=model)
    return interpretation, Reply(encode_tensors(release, interpretation, model, identifier, detail))
