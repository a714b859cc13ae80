"""The access service: ``GET /decide`` for NGINX, the pages for signing in, and stage control.

It listens on loopback only; NGINX is its only client.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import orjson
from anyio import to_thread
from fastapi import FastAPI, Request, Response
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from sirena.access.accounts import Accounts
from sirena.access.authentication import Authenticator
from sirena.access.decision import DecisionMaker, RequestFacts
from sirena.access.downloads import TOLD_AGAIN_AFTER, model_taken
from sirena.access.errors import AmbiguousRequestError, NotSignedInError
from sirena.access.events import Notify, tell_nobody
from sirena.access.http_facts import read_facts
from sirena.access.policy import Policy
from sirena.access.routes import shipped_routes
from sirena.access.sessions import Sessions
from sirena.access.signing_in import signing_in_routes
from sirena.access.stage_control import StageControl, Upstream
from sirena.access.throttle import Repetitions
from sirena.access.tokens import Tokens
from sirena.domain.errors import SirenaError

_CHALLENGE: Final = 'Basic realm="Sirena", charset="UTF-8"'
_SHOWN: Final = 200
"""Characters of a refused target that go on record."""


@dataclass(frozen=True)
class AccessParts:
    """What the service is made of."""

    engine: Engine
    policy: Policy
    session_hours: float = 12.0
    notify: Notify = tell_nobody
    upstream: Upstream | None = None
    """MLflow and the gate behind stage control; without it, what stage control decides is refused."""


def create_access_app(parts: AccessParts) -> FastAPI:
    """Return the application."""
    accounts, tokens = Accounts(parts.engine), Tokens(parts.engine)
    sessions = Sessions(parts.engine, hours=parts.session_hours)
    authenticator = Authenticator(accounts, tokens, sessions, parts.notify)
    maker = DecisionMaker(shipped_routes(), parts.policy, authenticator)
    control = StageControl(maker, parts.upstream, parts.notify) if parts.upstream else None

    repeated, taken = Repetitions(), Repetitions(seconds=TOLD_AGAIN_AFTER)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        if control is not None:
            await control.close()

    app = FastAPI(title="Sirena access", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)

    @app.exception_handler(SirenaError)
    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, SirenaError)
        facts = _facts_or_nothing(request)
        who = getattr(error, "who", "") or getattr(request.state, "who", "")
        if error.status in (401, 403):
            record = {
                "who": who,
                "origin": facts.address if facts else "",
                "action": facts.method if facts else "",
                "resource": _printable(facts.target.partition("?")[0]) if facts else "",
            }
            if repeated.is_news(tuple(record.values())):
                record["request_id"] = facts.request_id if facts else ""
                try:
                    await to_thread.run_sync(parts.notify, "refusal", record)
                except SirenaError as unrecorded:
                    return _refusal(request, unrecorded, record["request_id"], status=503)
        return _refusal(request, error, facts.request_id if facts else "")

    @app.exception_handler(SQLAlchemyError)
    async def away(request: Request, _: Exception) -> Response:
        # the answer to a doubt is no
        return _refusal(request, SirenaError("the database of accounts does not answer"), "", status=503)

    @app.get("/livez")
    async def livez() -> Response:
        """Answer 200 while the process runs."""
        return Response(b'{"status":"alive"}', media_type="application/json")

    @app.get("/decide")
    async def decide(request: Request) -> Response:
        """Say whether the request that the X-Original headers describe may pass: 204, 401 or 403."""
        facts = read_facts(request, asked_about=True)
        decision = await maker.decide(facts)
        identity = decision.identity
        model = model_taken(decision)
        if model and taken.is_news((identity.name, model)):
            record = {"who": identity.name, "origin": facts.address, "request_id": facts.request_id, "resource": model}
            await to_thread.run_sync(parts.notify, "downloaded", record)
        return Response(
            status_code=204,
            headers={
                "X-Sirena-User": identity.name,
                "X-Sirena-Role": ",".join(sorted(identity.roles)),
            },
        )

    app.include_router(signing_in_routes(maker, sessions, parts.notify, session_hours=parts.session_hours))
    if control is not None:
        app.include_router(control.routes())
    return app


def _refusal(request: Request, error: SirenaError, request_id: str, *, status: int = 0) -> Response:
    # the last two are what MLflow's client shows its user
    document = {
        "error": {"code": error.code, "message": error.text, "hint": error.hint, "request_id": request_id},
        "error_code": "PERMISSION_DENIED",
        "message": f"{error.text} ({error.hint})" if error.hint else error.text,
    }
    headers = {"X-Sirena-Reason": error.code, "Cache-Control": "no-store"}
    # browsers' scripts get no challenge: it would open the browser's own password window over the page
    if isinstance(error, NotSignedInError) and "sec-fetch-mode" not in request.headers:
        headers["WWW-Authenticate"] = _CHALLENGE
    return Response(
        orjson.dumps(document), status_code=status or error.status, media_type="application/json", headers=headers
    )


def _facts_or_nothing(request: Request) -> RequestFacts | None:
    try:
        return read_facts(request, asked_about=request.url.path == "/decide")
    except AmbiguousRequestError:
        return None


def _printable(target: str) -> str:
    return "".join(letter if " " < letter <= "~" else "?" for letter in target[:_SHOWN])
