"""The access service: ``GET /decide`` for NGINX, the pages for signing in, and stage control.

The service listens on loopback only; NGINX is its only client.
"""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import orjson
from anyio import CapacityLimiter, to_thread
from fastapi import Depends, FastAPI, Request, Response
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from sirena.access.accounts import Accounts
from sirena.access.actions import Action
from sirena.access.authentication import Authenticator
from sirena.access.decision import Decision, DecisionMaker, refuse_tricks
from sirena.access.entry_refusals import EntryLog, EntryRefusals
from sirena.access.errors import LedOnError, NotSignedInError, SwitchedOffPollError
from sirena.access.events import Notify, tell_nobody
from sirena.access.guarded_record import GuardedRecord
from sirena.access.http_facts import read_facts, read_request_id
from sirena.access.identity import Means
from sirena.access.openid_configuration import OpenIdConfiguration
from sirena.access.openid_refusals import Refusal
from sirena.access.openid_signing_in import SingleSignOn
from sirena.access.pages import page
from sirena.access.policy import Policy
from sirena.access.recording_task import recording_beside
from sirena.access.release_form import ReleaseForm
from sirena.access.room import NoRoomError, Room
from sirena.access.routes import shipped_routes
from sirena.access.rules_form import RulesForm, RulesStore
from sirena.access.sessions import Sessions
from sirena.access.signing_in import signing_in_routes
from sirena.access.stage_control import StageControl
from sirena.access.stage_form import StageForm
from sirena.access.tokens import Tokens
from sirena.access.transfers import RecentTransfers, model_taken, written_to
from sirena.access.upstream import Upstream
from sirena.domain.errors import GateError, SirenaError
from sirena.ledger.catalogue import AccessRefused, Administered, Downloaded, Uploaded
from sirena.ledger.event import Event

_CHALLENGE: Final = 'Basic realm="Sirena", charset="UTF-8"'
_REMEDIES: Final = {
    "not_signed_in": "sign in at /auth/login, or send a token",
    "ambiguous_request": "send it plainly, as the message says",
    "forbidden": "ask whoever administers Sirena",
}
"""Hints by the code of an error, for errors without a hint."""
_RECORDED: Final = frozenset({Action.REMOVE, Action.ADMINISTER})
"""Actions of which each request that changes something is recorded here; stage control records its own."""
_LONGEST_TOLD: Final = 400
"""Most characters of a message in a header; NGINX reads only some kilobytes of headers."""
_PLACES: Final = {
    "pages": Action.PAGES,
    "models": Action.BROWSE,
    "evidence": Action.DOWNLOAD,
    "staging": Action.PROMOTE_STAGING,
    "production": Action.PROMOTE_PRODUCTION,
    "files": Action.OPEN_FILES,
    "counts": Action.COUNT,
    "rows": Action.TAKE_ROWS,
    "isolate": Action.ANSWER,
    "make_release": Action.REGISTER,
    "edit_rules": Action.EDIT_RULES,
    "approve_rules": Action.APPROVE_RULES,
}
"""Names of what a person may do on the pages, so that a page shows no link or button that would be refused."""
_KEPT: Final = {"X-Accel-Expires": "1", "Vary": "Authorization"}
"""Headers that let NGINX keep a decision for this credential for a second; see `sirena.server.entry.kept_decisions`."""
_SHOWN: Final = 200
"""Most characters of a refused path that are recorded."""


@dataclass(frozen=True)
class AccessParts:
    """The parts of which the access service is made."""

    engine: Engine
    policy: Policy
    session_hours: float = 12.0
    notify: Notify = tell_nobody
    openid: OpenIdConfiguration | None = None
    """The provider of single sign-on; without one, people sign in by password or token."""
    upstream: Upstream | None = None
    """MLflow and the gate for stage control; without them, requests that stage control decides on are refused."""
    room: Room | None = None
    """The disks for uploads; without them, uploads pass however full the disks are."""
    rules: RulesStore | None = None
    """Keeps the hospital's own rules; without it, forms that save or approve rules are refused."""
    entry_log: EntryLog | None = None
    """Log of what NGINX refuses by itself; None if there is no NGINX."""
    monotonic_clock: Callable[[], float] = time.monotonic
    """Seconds of a clock that nobody can set, for the age of what the service remembers."""


def create_access_app(parts: AccessParts) -> FastAPI:
    """Return the application of the access service."""
    record, policy = GuardedRecord(parts.notify), parts.policy
    accounts, tokens = Accounts(parts.engine), Tokens(parts.engine)
    sessions = Sessions(parts.engine, hours=parts.session_hours)
    authenticator = Authenticator(accounts, tokens, sessions, record, monotonic_clock=parts.monotonic_clock)
    maker = DecisionMaker(shipped_routes(), policy, authenticator, parts.upstream)
    control = StageControl(maker, parts.upstream, record) if parts.upstream else None

    entry = EntryRefusals(parts.entry_log, parts.notify) if parts.entry_log else None
    recent_downloads, recent_uploads = RecentTransfers(), RecentTransfers()

    async def tell(event: Event) -> None:
        await to_thread.run_sync(record, event)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with recording_beside(record, entry):
            yield
        if control is not None:
            await control.close()

    app = FastAPI(title="Sirena access", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)

    @app.exception_handler(SirenaError)
    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, SirenaError)
        refusal = _refusal_of(request, error)
        if error.status in (401, 403) and not isinstance(error, SwitchedOffPollError | LedOnError):
            try:
                await tell(refusal)
            except SirenaError as unrecorded:
                return _answer_refused(request, unrecorded, refusal.request_id, status=503)
        return _answer_refused(request, error, refusal.request_id)

    @app.exception_handler(SQLAlchemyError)
    async def away(request: Request, _: Exception) -> Response:
        # the answer to a doubt is no
        return _answer_refused(request, SirenaError("the database of accounts does not answer"), "", status=503)

    @app.get("/livez")
    async def livez() -> Response:
        """Answer 200 while the process runs."""
        return Response(b'{"status":"alive"}', media_type="application/json")

    @app.get("/decide")
    async def decide(request: Request) -> Response:
        """Answer whether the request that the X-Original headers describe may pass: 204 if so, else 401 or 403."""
        facts = read_facts(request, asked_about=True)
        decision = await maker.decide(facts)
        identity = decision.identity
        who = identity.name
        if decision.write is not None and parts.room is not None and facts.method in ("PUT", "POST"):
            try:
                parts.room.require(facts.header("x-original-length"))
            except NoRoomError as refusal:
                refusal.who = who
                raise
        if model := model_taken(decision):
            await recent_downloads.once(who, model, partial(tell, Downloaded(who=who, **facts.origin, resource=model)))
        for target in written_to(decision):
            upload = Uploaded(who=who, **facts.origin, resource=target, act=target)
            await recent_uploads.once(who, target, partial(tell, upload))
        if decision.request.action in _RECORDED and facts.method not in ("GET", "HEAD"):
            resource = decision.target.path
            await tell(Administered(who=who, **facts.origin, action=facts.method, resource=resource))
        return Response(
            status_code=204,
            headers={
                "X-Sirena-User": who,
                "X-Sirena-Role": ",".join(sorted(identity.roles)),
                "X-Sirena-Session": identity.session,
                "X-Sirena-Places": ",".join(place for place, action in _PLACES.items() if identity.may(policy, action)),
                **(_KEPT if _may_be_kept(decision) else {}),
            },
        )

    single_sign_on = SingleSignOn(parts.openid, parts.engine, sessions, record, session_hours=parts.session_hours)
    signing_in = signing_in_routes(maker, sessions, record, single_sign_on, session_hours=parts.session_hours)
    form = StageForm(maker, control, parts.upstream)
    rules = RulesForm(maker, parts.rules, parts.room)
    release = ReleaseForm(maker, parts.upstream, CapacityLimiter(1))
    change_routes = (
        form.routes(),
        rules.routes(),
        release.routes(),
        *([control.routes()] if control is not None else []),
    )
    for router in (signing_in, single_sign_on.routes(), *change_routes):
        app.include_router(router, dependencies=[Depends(_without_tricks)])
    return app


async def _without_tricks(request: Request) -> None:
    refuse_tricks(read_facts(request))


def _may_be_kept(decision: Decision) -> bool:
    identity = decision.identity
    return decision.request.action is Action.ANSWER and identity.means is Means.TOKEN and identity.confirmed


def _answer_refused(request: Request, error: SirenaError, request_id: str, *, status: int = 0) -> Response:
    hint = error.hint or _REMEDIES.get(error.code, "")
    message = f"{error.text} ({hint})" if hint else error.text
    # the last two are what MLflow's client shows its user
    document = {
        "error": {"code": error.code, "message": error.text, "hint": hint, "request_id": request_id}
        | ({"gate": True} if isinstance(error, GateError) else {}),
        "error_code": "PERMISSION_DENIED",
        "message": message,
    }
    headers = {"X-Sirena-Reason": error.code, "Cache-Control": "no-store"}
    if request.url.path == "/decide":
        # of this answer NGINX passes headers on alone, and writes them into a body of its own
        texts = {"X-Sirena-Message": error.text, "X-Sirena-Hint": hint, "X-Sirena-Said": message}
        headers |= {name: json.dumps(text[:_LONGEST_TOLD])[1:-1] for name, text in texts.items()}
    elif request.headers.get("sec-fetch-mode") == "navigate":
        return page(
            request,
            "refused.html.j2",
            status=status or error.status,
            refusal=_as_page(error),
            request_id=request_id,
        )
    # browsers' scripts get no challenge: it would open the browser's own password window over the page
    if isinstance(error, NotSignedInError) and "sec-fetch-mode" not in request.headers:
        headers["WWW-Authenticate"] = _CHALLENGE
    return Response(
        orjson.dumps(document), status_code=status or error.status, media_type="application/json", headers=headers
    )


def _as_page(error: SirenaError) -> Refusal:
    """Return an error as a refusal, for the page that shows it to the person who sent a form."""
    english = " ".join(f"{text[:1].upper()}{text[1:]}." for text in (error.text, error.hint) if text)
    return Refusal(error.code, error.status, "Esto no se pudo hacer. Vuelva e inténtelo de nuevo.", english)


def _refusal_of(request: Request, error: SirenaError) -> AccessRefused:
    """Return the event of a refused request, however odd the request; NGINX has overwritten the headers read here."""
    headers = request.headers
    asked_about = request.url.path == "/decide"
    raw: bytes = request.scope.get("raw_path") or b""
    target = headers.get("x-original-uri", "") if asked_about else raw.decode("latin-1")
    return AccessRefused(
        who=getattr(error, "who", "") or getattr(request.state, "who", ""),
        origin=headers.get("x-real-ip", "") or (request.client.host if request.client else ""),
        request_id=read_request_id(headers.get("x-request-id", "")),
        action=headers.get("x-original-method", "") if asked_about else request.method,
        resource=_printable(target.partition("?")[0]),
        cause=getattr(error, "cause", "") or error.code,
    )


def _printable(target: str) -> str:
    return "".join(letter if " " < letter <= "~" else "?" for letter in target[:_SHOWN])
