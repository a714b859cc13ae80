"""The shadow: a release that answers the same requests unseen, so that people see what it would change.

Rules, each with a test of like name:

- no answer depends on the shadow: a thread passes it requests that were answered already;
- that thread works at most a twentieth of the time; questions it cannot keep up with are dropped, and counted;
- a question that the shadow cannot answer is counted as such, whatever the error, and the next is asked;
- the categories of both releases are counted, and nothing about the isolates is kept;
- the counts start again when either release changes, and when the service starts;
- if the shadow cannot be loaded, this is reported and tried again; the active release keeps answering.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sirena.domain.errors import SirenaError
from sirena.panel.compiled import Panel
from sirena.serving.core import Rows, interpret
from sirena.serving.inference_protocol import read_tensors
from sirena.serving.request_bodies import is_arrow, read_rows
from sirena.serving.shadow_counts import ShadowCounts, ShadowState, pairs_of
from sirena.serving.source import PanelSource

_MOST_WAITING: Final = 1024
"""Most questions that wait."""
_MOST_BYTES: Final = 8 * 2**20
"""Most bytes of the bodies of questions that wait."""
_REST: Final = 19
"""Seconds of rest for each second of work."""
_IDLE_SECONDS: Final = 0.05
"""Seconds of sleep if no question waits."""
_LOOK_SECONDS: Final = 1.0
"""Seconds between two looks at the source's mark, which cost nothing."""
_RETRY_SECONDS: Final = 30.0
"""Seconds until loading a shadow is tried again after a failure."""


@dataclass(frozen=True, slots=True)
class ShadowQuestion:
    """A request that was answered, with everything needed to answer it again."""

    panel: Panel
    """The panel of models that answered the request."""
    model: str
    """Registered name of the model in the request."""
    content_type: str
    body: bytes
    is_tensors: bool
    """True if the body has the form of the Open Inference Protocol."""

    def read(self) -> Rows:
        """Return the rows of the request's body, read as for the response to it."""
        if self.is_tensors:
            return read_tensors(self.body)[0]
        if is_arrow(self.content_type):
            # PyArrow takes memory and time to import, which callers that speak JSON need not pay
            from sirena.serving.arrow_bodies import read_stream

            return read_stream(self.body)
        return read_rows(self.body, self.content_type)


class Shadow:
    """Has the source's shadow release answer requests again, and counts the answers of both releases."""

    def __init__(
        self,
        source: PanelSource,
        notify: Callable[[str, dict[str, str]], None] = lambda _event, _facts: None,
    ) -> None:
        """Start without a shadow release.

        Args:
            source: source that names the shadow.
            notify: called with an event's name and facts when a shadow was loaded, failed or ended.
        """
        self._source = source
        self._notify = notify
        self.is_on = False
        """Whether there is a shadow to ask; a plain attribute, because every request reads it."""
        self._mark: str | None = None
        self._panel: Panel | None = None
        self._failure = ""
        self._lock = threading.Lock()
        """Protects the attributes below, which the thread and the event loop change."""
        self._waiting_questions: deque[ShadowQuestion] = deque()
        self._bytes_waiting = 0
        self._counts: ShadowCounts | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> ShadowState:
        """The current state of the shadow, with its counts."""
        panel, failure = self._panel, self._failure
        if panel is None:
            return ShadowState(failure=failure)
        with self._lock:
            return self._counts.state if self._counts is not None else ShadowState(panel.release)

    def offer(self, panel: Panel, model: str, content_type: str, body: bytes, *, is_tensors: bool) -> None:
        """Add a request that was answered to the waiting ones, if there is room.

        Args:
            panel: the panel of models that answered the request.
            model: registered name of the model in the request.
            content_type: content type of the body.
            body: the body, as sent.
            is_tensors: whether the body has the form of the Open Inference Protocol.
        """
        with self._lock:
            shadow = self._panel
            if shadow is None or shadow.release == panel.release:
                return
            counts = self._counts
            if counts is None or counts.active != panel.release:
                self._waiting_questions.clear()
                self._bytes_waiting = 0
                counts = self._counts = ShadowCounts(panel.release, shadow.release, time.time())
            if len(self._waiting_questions) >= _MOST_WAITING or self._bytes_waiting + len(body) > _MOST_BYTES:
                counts.drop()
                return
            self._waiting_questions.append(ShadowQuestion(panel, model, content_type, body, is_tensors))
            self._bytes_waiting += len(body)

    def refresh(self) -> None:
        """Load the shadow that the source names now, unless it is loaded already."""
        mark = self._source.shadow_mark
        if mark == self._mark and not self._failure:
            return
        panel, failure = None, ""
        if mark is not None:
            try:
                panel = self._source.load_shadow()
            except SirenaError as error:
                failure = error.text
            except Exception as error:  # noqa: BLE001 - whatever a registry's client raises, it is tried again
                failure = f"the shadow cannot be loaded ({type(error).__name__})"
        with self._lock:
            self._panel, self._counts = panel, None
            self._waiting_questions.clear()
            self._bytes_waiting = 0
        self.is_on = panel is not None
        former, self._mark, self._failure = self._failure, mark, failure
        if panel is not None:
            self._notify("shadow_loaded", {"release": panel.release})
        elif not failure:
            self._notify("shadow_over", {})
        elif failure != former:
            self._notify("shadow_failed", {"text": failure})

    def compare_next(self) -> bool:
        """Have the shadow answer the request that has waited longest, and count. Returns False if no request waits."""
        with self._lock:
            shadow = self._panel
            if shadow is None or not self._waiting_questions:
                return False
            question = self._waiting_questions.popleft()
            self._bytes_waiting -= len(question.body)
        try:
            rows = question.read()
            active_answers = interpret(question.panel, rows, model=question.model)
            pairs = pairs_of(active_answers, interpret(shadow, rows))
        except Exception:  # noqa: BLE001 - whatever the shadow's file holds, nobody waits for its answer
            pairs = None
        with self._lock:
            counts = self._counts
            # either release may have become another meanwhile
            if counts is not None and shadow is self._panel and counts.active == question.panel.release:
                counts.leave_out() if pairs is None else counts.add(pairs)
        return True

    def start(self) -> None:
        """Begin to process waiting requests in the background."""
        self._thread = threading.Thread(target=self._run, name="sirena-shadow", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop processing; waiting requests are dropped."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout=1.0)

    def _run(self) -> None:
        next_look = rest_end = 0.0
        while not self._stopping.is_set():
            began = time.perf_counter()
            if began >= next_look:
                self.refresh()
                next_look = began + (_RETRY_SECONDS if self._failure else _LOOK_SECONDS)
            began = time.perf_counter()
            if began >= rest_end and self.compare_next():
                now = time.perf_counter()
                rest_end = now + _REST * (now - began)
                # after a long question it looks again before it has rested
                self._stopping.wait(min(rest_end - now, _LOOK_SECONDS))
            else:
                self._stopping.wait(_IDLE_SECONDS if self.is_on else _LOOK_SECONDS)
