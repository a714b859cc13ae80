"""From a request's bytes to its answer's, whoever carries them: headers and body in, JSON out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from anyio import to_thread
from starlette.types import Receive

from sirena.serving.answer_bodies import encode_answers
from sirena.serving.core import Interpretation, interpret
from sirena.serving.holder import PanelHolder
from sirena.serving.inference_protocol import encode_tensors, read_tensors
from sirena.serving.metrics import ServiceMetrics
from sirena.serving.observation import Observed
from sirena.serving.one_row import RecordAnswer, answer_record
from sirena.serving.prepared import PreparedRelease
from sirena.serving.request_bodies import is_json, load_json, only_record, read_document, read_rows, require_json
from sirena.serving.request_reading import read_body

_IN_THE_LOOP: Final = 64 * 1024
"""Bodies up to this many bytes are answered in the event loop; a thread costs more than they do."""


class Question(NamedTuple):
    """What a request's path asks for."""

    route: str
    """Template of the route."""
    model: str
    """Registered name of the model that is to answer."""
    tensors: bool
    """Whether body and answer are those of the Open Inference Protocol."""


@dataclass(frozen=True, slots=True)
class Answering:
    """Answers questions by the panel in use."""

    holder: PanelHolder
    metrics: ServiceMetrics
    max_body: int
    """Largest body, in bytes."""

    async def answer(
        self, question: Question, headers: Mapping[bytes, bytes], receive: Receive, facts: Observed
    ) -> bytes:
        """Return the body of the answer, in JSON.

        Args:
            question: which model is asked in which form.
            headers: of the request, names in lower case.
            receive: gives its body.
            facts: is filled in.

        Raises:
            SirenaError: the request cannot be answered; the error knows its HTTP status.
            ClientDisconnect: the caller left.
        """
        release = self.holder.require_release()
        body = await read_body(headers, receive, self.max_body)
        facts.bytes_in = len(body)
        content_type = headers.get(b"content-type", b"").decode("latin-1")
        work = _infer if question.tensors else _invoke
        if len(body) <= _IN_THE_LOOP:
            answered, content = work(release, body, content_type, question.model)
        else:
            answered, content = await to_thread.run_sync(work, release, body, content_type, question.model)
        facts.release = release.panel.release
        if isinstance(answered, RecordAnswer):
            facts.rows = 1
            facts.columns = len(answered.counts)
            self.metrics.count(answered.counts, answered.unknown_specimens)
        else:
            facts.rows = len(answered.organisms)
            facts.columns = len(answered.columns)
            self.metrics.count_answers(release, answered)
        return content


def _invoke(
    release: PreparedRelease, body: bytes, content_type: str, model: str
) -> tuple[Interpretation | RecordAnswer, bytes]:
    document: Any = None
    if is_json(content_type):
        document = load_json(body)
        record = only_record(document)
        if record is not None:
            quick = answer_record(release, *record, model)
            if quick is not None:
                return quick, quick.content
        rows = read_document(document)
    else:
        rows = read_rows(body, content_type)
    interpretation = interpret(release.panel, rows, model=model)
    return interpretation, encode_answers(release, interpretation)


def _infer(
    release: PreparedRelease, body: bytes, content_type: str, model: str
) -> tuple[Interpretation | RecordAnswer, bytes]:
    require_json(content_type)
    rows, identifier = read_tensors(body)
    interpretation = interpret(release.panel, rows, model=model)
    return interpretation, encode_tensors(release, interpretation, model, identifier)
