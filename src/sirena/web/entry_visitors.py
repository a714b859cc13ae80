"""Who may see the pages behind the entry (NGINX): senders of requests that the access service allows.

Rules, each with a test of like name:

- a request without the entry's headers is refused, whoever connected to the socket;
- files belong to the session, or to the person who sends a token or password with each request;
- that a change comes from a page of this site is checked by the access service, as for all requests to the entry;
- `MOST_AT_ONCE` requests of one person are answered at a time, so that nobody keeps the pages from others.
"""

from collections import Counter
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from sirena.web.answer_headers import with_headers
from sirena.web.unforeseen import answer_quietly
from sirena.web.visitor import LIVE, SESSION, Visitor, let_in

PREFIX: Final = "/app"
"""Path of the pages at the entry."""
MOST_AT_ONCE: Final = 40
"""Most requests of one person answered at a time, until the last byte is sent: a page with all its pictures."""
THREADS: Final = 4 * MOST_AT_ONCE
"""Threads for the requests of all people, so that one person's requests leave threads to others."""
_FORBIDDEN: Final = 403
_BUSY: Final = 503


class ThroughTheEntry:
    """Guard of the pages behind the entry: only requests with the entry's headers pass."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the application of the pages.

        Args:
            app: application to guard; its paths begin with `PREFIX`.
        """
        self._app = app
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the pages, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = _turn_away(scope)
        if refusal is not None:
            await refusal(scope, receive, with_headers(send))
            return
        visitor = _visitor(Headers(scope=scope))
        if self._under_way[visitor.name] >= MOST_AT_ONCE:
            busy = PlainTextResponse("You asked for much at once. Wait a moment. / Espere un momento.", _BUSY)
            await busy(scope, receive, with_headers(send))
            return
        let_in(scope, visitor)
        self._under_way[visitor.name] += 1
        try:
            await answer_quietly(self._app, {**scope, "root_path": PREFIX}, receive, with_headers(send))
        finally:
            self._under_way[visitor.name] -= 1
            self._under_way += Counter()  # who has none under way is not kept


def _turn_away(scope: Scope) -> Response | None:
    path = scope["path"]
    if path == LIVE:
        return PlainTextResponse("alive")
    if not Headers(scope=scope).get("x-sirena-user") or not f"{path}/".startswith(f"{PREFIX}/"):
        return PlainTextResponse("The pages are reached through the entry.", _FORBIDDEN)
    return RedirectResponse(f"{PREFIX}/", 308) if path == PREFIX else None


def _visitor(headers: Headers) -> Visitor:
    name, session = headers["x-sirena-user"], headers.get("x-sirena-session", "")
    return Visitor(
        owner=f"{SESSION}{session}" if session else f"person {name}",
        name=name,
        origin=headers.get("x-real-ip", ""),
        request_id=headers.get("x-request-id", ""),
        places=frozenset(headers.get("x-sirena-places", "").split(",")),
    )
