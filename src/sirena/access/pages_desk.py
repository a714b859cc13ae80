"""The application for requests from the process of Sirena's pages to the access service, over a separate socket.

It can do two things: record what a person did on the pages, and ask which sessions are open. So whoever breaks into
that process can neither decide on a request nor write another event into the ledger. Floods of refusals are counted
like those of the entry.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
from anyio import to_thread
from fastapi import FastAPI, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from sirena.access.events import Notify
from sirena.access.guarded_record import GuardedRecord
from sirena.access.recording_task import recording_beside
from sirena.access.sessions import Sessions
from sirena.domain.errors import SirenaError
from sirena.ledger.catalogue import AccessRefused, FileDownloaded, FileOpened
from sirena.ledger.event import ActOutcome, Event

_COMMON: Final = {"who": str, "origin": str, "request_id": str, "outcome": str, "failure": str}
_EVENTS: Final[Mapping[type[Event], Mapping[str, type]]] = {
    FileOpened: {**_COMMON, "size": int, "rows": int, "columns": int, "answered_by": str},
    FileDownloaded: {**_COMMON, "content": str, "format": str, "rows": int, "size": int, "answered_by": str},
    AccessRefused: {"who": str, "origin": str, "request_id": str, "action": str, "resource": str, "cause": str},
}
"""Events that the pages may record, and the facts that each may have, with their types."""
_LONGEST: Final = 8 * 1024
"""Most bytes of an event."""
_NO_CONTENT: Final = 204
_UNPROCESSABLE: Final = 422
_UNAVAILABLE: Final = 503


def create_desk(sessions: Sessions, notify: Notify) -> FastAPI:
    """Return the application for the process of the pages.

    Args:
        sessions: the sessions in the database.
        notify: function that records an event.
    """
    guarded_record = GuardedRecord(notify)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with recording_beside(guarded_record, None):
            yield

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, max_body_size=_LONGEST, lifespan=lifespan)

    @app.post("/events/{event}")
    async def record(request: Request, event: str) -> Response:
        """Record an event, or count it in a flood: 204 when that is done, 503 when the ledger cannot be written."""
        entry = _read_event(event, await request.body())
        if entry is None:
            return Response(status_code=_UNPROCESSABLE)
        try:
            await to_thread.run_sync(guarded_record, entry)
        except SirenaError:
            return Response(status_code=_UNAVAILABLE)
        return Response(status_code=_NO_CONTENT)

    @app.get("/sessions")
    async def open_sessions() -> Response:
        """Return the names of the sessions that are open now."""
        try:
            names = await to_thread.run_sync(sessions.open_names)
        except SQLAlchemyError:
            return Response(status_code=_UNAVAILABLE)
        return Response(orjson.dumps(sorted(names)), media_type="application/json")

    return app


def _read_event(name: str, body: bytes) -> Event | None:
    """Return an event read from JSON; None if the pages may not record it, or its facts are not those it must have."""
    kind = next((kind for kind in _EVENTS if kind.event == name), None)
    try:
        facts: Any = orjson.loads(body)
        if kind is None or not isinstance(facts, dict):
            return None
        if any(type(value) is not _EVENTS[kind].get(fact) for fact, value in facts.items()):
            return None
        outcome = {"outcome": ActOutcome(facts["outcome"])} if "outcome" in facts else {}
        return kind(**facts | outcome)
    except (TypeError, ValueError):
        return None
