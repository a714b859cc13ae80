"""Who may see the pages behind the entry: whoever NGINX passes on, after the access service said yes.

Rules, each with a test of like name:

- a request without the entry's headers is answered nothing, whoever reached the socket;
- files belong to the session, or to the person who comes with a token or password in each request;
- what changes something has been proved to come from this site by the access service, as everywhere at the entry;
- one person has `MOST_AT_ONCE` requests answered at a time, so that nobody keeps the pages from the others.
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
"""Where the pages lie at the entry."""
MOST_AT_ONCE: Final = 40
"""Requests of one person that are answered at a time, until the last byte is sent: a page with all of its pictures."""
THREADS: Final = 4 * MOST_AT_ONCE
"""Of all people's requests: whoever waits for a count of their own leaves threads to the others."""
_FORBIDDEN: Final = 403
_BUSY: Final = 503


class ThroughTheEntry:
    """Lets in whom the entry names, and nobody else."""

    def __init__(self, app: ASGIApp) -> None:
        """Guard an application.

        Args:
            app: what is guarded, whose addresses begin with `PREFIX`.
        """
        self._app = app
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
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
