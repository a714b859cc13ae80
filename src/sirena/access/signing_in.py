"""The pages and routes by which a browser signs in and out."""

import hmac
import secrets
from functools import cache
from typing import Final
from urllib.parse import parse_qs

import orjson
from anyio import to_thread
from fastapi import APIRouter, Request, Response
from jinja2 import Environment, PackageLoader, Template, select_autoescape

from sirena.access.actions import Action
from sirena.access.credentials import SESSION_COOKIE, Password, SessionCookie, read_credential
from sirena.access.decision import DecisionMaker, RequestFacts, page_of_origin
from sirena.access.errors import AmbiguousRequestError, ForbiddenError, NotSignedInError
from sirena.access.events import Notify
from sirena.access.http_facts import read_facts
from sirena.access.identity import Means
from sirena.access.origin import require_same_origin
from sirena.access.paths import read_target
from sirena.access.sessions import Sessions

LOGIN_COOKIE: Final = "__Host-sirena_login"
"""Holds the login form's own CSRF token, before there is a session."""
CSRF_COOKIE: Final = "__Host-sirena_csrf"
"""Holds the session's CSRF token where our pages' scripts can read it; it opens nothing by itself."""
_LONGEST_FORM: Final = 16 * 1024
_HEADERS: Final = {"Cache-Control": "no-store", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"}


def signing_in_routes(maker: DecisionMaker, sessions: Sessions, notify: Notify, *, session_hours: float) -> APIRouter:
    """Return the routes below ``/auth``."""
    router = APIRouter(prefix="/auth")
    lifetime = int(session_hours * 3600)

    @router.get("/login")
    async def form(request: Request) -> Response:
        """Show the login form."""
        return _page(_local(request.query_params.get("next", "/")))

    @router.post("/login")
    async def login(request: Request) -> Response:
        """Sign in with name and password."""
        facts = read_facts(request)
        fields = await _form(request)
        given = fields.get("csrf", "")
        if not given or not hmac.compare_digest(given.encode(), request.cookies.get(LOGIN_COOKIE, "").encode()):
            raise ForbiddenError("the form is not ours or too old", hint="open /auth/login again")
        target = _local(fields.get("next", "/"))
        password = Password(fields.get("name", "").strip().lower(), fields.get("password", ""))
        try:
            identity = await maker.authenticator.identify(password, facts.address, facts.request_id)
        except NotSignedInError:
            return _page(target, refused=True)
        cookie, csrf = await to_thread.run_sync(sessions.begin, identity.name)
        response = Response(status_code=303, headers={"Location": target, **_HEADERS})
        _set(response, SESSION_COOKIE, cookie, lifetime, hidden=True)
        _set(response, CSRF_COOKIE, csrf, lifetime, hidden=False)
        response.delete_cookie(LOGIN_COOKIE, secure=True, httponly=True, samesite="lax")
        return response

    @router.get("/me")
    async def me(request: Request) -> Response:
        """Say who is asking and what they may do."""
        identity = await maker.identify(read_facts(request))
        document = {
            "name": identity.name,
            "roles": sorted(identity.roles),
            "means": identity.means,
            "actions": sorted(action for action in Action if identity.may(maker.policy, action)),
        }
        return Response(orjson.dumps(document), media_type="application/json", headers=_HEADERS)

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        """Sign out."""
        facts = read_facts(request)
        identity = await maker.identify(facts)
        page = page_of_origin(facts)
        require_same_origin("POST", identity, page)
        credential = read_credential(facts.header("authorization"), facts.header("cookie"))
        if identity.means is Means.SESSION and isinstance(credential, SessionCookie):
            await to_thread.run_sync(sessions.end, credential.value)
            maker.authenticator.forget(credential)
            await to_thread.run_sync(notify, "logout", _who(identity.name, facts))
        response = Response(status_code=303, headers={"Location": "/auth/login", **_HEADERS})
        for name in (SESSION_COOKIE, CSRF_COOKIE):
            response.delete_cookie(name, secure=True, httponly=name == SESSION_COOKIE, samesite="lax")
        return response

    return router


def _page(target: str, *, refused: bool = False) -> Response:
    csrf, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    text = _template().render(csrf=csrf, next=target, refused=refused, nonce=nonce)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    response = Response(
        text,
        status_code=401 if refused else 200,
        media_type="text/html",
        headers={**_HEADERS, "Content-Security-Policy": policy},
    )
    _set(response, LOGIN_COOKIE, csrf, 3600, hidden=True)
    return response


def _set(response: Response, name: str, value: str, seconds: int, *, hidden: bool) -> None:
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=hidden, samesite="lax")


async def _form(request: Request) -> dict[str, str]:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            raise AmbiguousRequestError("the form is too long")
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise AmbiguousRequestError("the login form is sent as application/x-www-form-urlencoded")
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=10, errors="strict")
    except ValueError as error:
        raise AmbiguousRequestError("the form cannot be read") from error
    return {name: values[0] for name, values in fields.items() if len(values) == 1}


def _local(target: str) -> str:
    """Return a target of this very server, or its first page: a login must not lead elsewhere."""
    try:
        read_target(target)
    except AmbiguousRequestError:
        return "/"
    return target


def _who(name: str, facts: RequestFacts) -> dict[str, str]:
    return {"who": name, "origin": facts.address, "request_id": facts.request_id}


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("sirena.access"), autoescape=select_autoescape(default=True, default_for_string=True)
    )
    return environment.get_template("login.html.j2")
