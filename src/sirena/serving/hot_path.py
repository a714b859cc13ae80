"""The routes that answer isolates, in front of FastAPI: only ASGI between the server and `Answering`.

FastAPI's middleware, routing and parameters cost several times as much as answering one isolate. FastAPI serves every
other route and documents these; the answers are the same bytes on both paths. As by `RequestObserver`, every request
gets an id, one log line, metrics, and errors in the common form.
"""

import time
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from sirena.domain.errors import SirenaError
from sirena.serving.answering import Answering, Question, Reply
from sirena.serving.core import PANEL_MODEL
from sirena.serving.observation import (
    CLIENT_GONE,
    Observed,
    RequestRecorder,
    error_body,
    internal_error_body,
    unforeseen,
)
from sirena.serving.request_reading import read_headers

INVOCATIONS: Final = "/invocations"
MODEL_INVOCATIONS: Final = "/models/{name}/invocations"
INFER: Final = "/v2/models/{name}/infer"
FIXED_HEADERS: Final = ((b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store"))
"""Headers of every response, after those that vary."""
_WHOLE_PANEL: Final = Question(INVOCATIONS, PANEL_MODEL, tensors=False)


def question_of(path: str) -> Question | None:
    """Return what a path asks for; None if the path is not one of these routes.

    >>> question_of("/models/modelo_AMK_NM/invocations").model
    'modelo_AMK_NM'
    >>> question_of("/readyz")
    """
    if path == INVOCATIONS:
        return _WHOLE_PANEL
    match path.split("/"):
        case ["", "models", name, "invocations"] if name:
            return Question(MODEL_INVOCATIONS, name, tensors=False)
        case ["", "v2", "models", name, "infer"] if name:
            return Question(INFER, name, tensors=True)
    return None


class HotPath:
    """ASGI application in front of another: it answers requests about isolates and passes all others on."""

    def __init__(self, app: ASGIApp, answering: Answering, recorder: RequestRecorder) -> None:
        """Set the application behind it.

        Args:
            app: answers every other request.
            answering: answers requests about isolates.
            recorder: records each of these.
        """
        self._app = app
        self._answering = answering
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["method"] == "POST":
            question = question_of(scope["path"])
            if question is not None:
                await self._answer(question, scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _answer(self, question: Question, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        facts = self._recorder.observe(scope["headers"])
        status = CLIENT_GONE
        try:
            try:
                reply = await self._answering.answer(
                    question, scope["query_string"], read_headers(scope["headers"]), receive, facts
                )
                answer = 200
            except ClientDisconnect:
                facts.error = "client_gone"
                return
            except Exception as error:  # noqa: BLE001 - the last net
                answer, reply = refusal(error, facts)
            status = answer
            await send({"type": "http.response.start", "status": status, "headers": answer_headers(reply, facts)})
            await send({"type": "http.response.body", "body": reply.content})
        finally:
            self._recorder.record("POST", question.route, facts, status, began)


def refusal(error: Exception, facts: Observed) -> tuple[int, Reply]:
    """Return status and body of the response to a failed request, in the common form; the log gets the error's place.

    Args:
        error: a `SirenaError`, or an unexpected error.
        facts: record of the request, to which the error is added.
    """
    if isinstance(error, SirenaError):
        facts.error = error.code
        return error.status, Reply(error_body(error.code, error.text, error.hint, facts.request_id))
    facts.error = unforeseen(error)
    return 500, Reply(internal_error_body(facts.request_id))


def answer_headers(reply: Reply, facts: Observed) -> list[tuple[bytes, bytes]]:
    """Return the headers of a response."""
    return [
        (b"content-length", b"%d" % len(reply.content)),
        (b"content-type", reply.media_type),
        (b"x-request-id", facts.request_id.encode("ascii")),
        *FIXED_HEADERS,
    ]
