"""The pages and routes by which a browser signs in and out."""

import hmac
import secrets
from datetime import datetime
from typing import Final

import orjson
from anyio import to_thread
from fastapi import APIRouter, Request, Response

from sirena.access.actions import Action
from sirena.access.credentials import SESSION_COOKIE, Password, SessionCookie, read_cookie, read_credential
from sirena.access.decision import DecisionMaker, page_of_origin
from sirena.access.errors import ForbiddenError, NotSignedInError
from sirena.access.events import Notify
from sirena.access.forms import read_form
from sirena.access.http_facts import read_facts
from sirena.access.identity import Means
from sirena.access.openid_signing_in import SingleSignOn
from sirena.access.origin import require_same_origin
from sirena.access.pages import CSRF_COOKIE, HEADERS, drop_cookie, let_in, local_target, page, set_cookie
from sirena.access.sessions import Sessions
from sirena.ledger.catalogue import Logout

LOGIN_COOKIE: Final = "__Host-sirena_login"
"""Cookie with the CSRF token of the sign-in form, before there is a session."""
ACCOUNT_PAGE: Final = "/auth/account"
"""Page on which a person sees their own account and signs out."""


def signing_in_routes(
    maker: DecisionMaker, sessions: Sessions, notify: Notify, single_sign_on: SingleSignOn, *, session_hours: float
) -> APIRouter:
    """Return the routes below ``/auth``."""
    router = APIRouter(prefix="/auth")
    lifetime = int(session_hours * 3600)

    def form_page(request: Request, target: str, *, refused: bool = False) -> Response:
        csrf = secrets.token_urlsafe(32)
        response = page(
            request,
            "login.html.j2",
            status=401 if refused else 200,
            csrf=csrf,
            next=target,
            refused=refused,
            provider=single_sign_on.label,
            account_page=ACCOUNT_PAGE,
        )
        set_cookie(response, LOGIN_COOKIE, csrf, 3600, hidden=True)
        return response

    @router.get("/login")
    async def form(request: Request) -> Response:
        """Show the sign-in form."""
        return form_page(request, local_target(request.query_params.get("next", "/")))

    @router.post("/login")
    async def login(request: Request) -> Response:
        """Sign a person in by the name and password of the form."""
        facts = read_facts(request)
        fields = await read_form(request)
        token = fields.get("csrf", "")
        if not token or not hmac.compare_digest(
            token.encode(), read_cookie(facts.header("cookie"), LOGIN_COOKIE).encode()
        ):
            raise ForbiddenError("the form is not ours or too old", hint="open /auth/login again")
        target = local_target(fields.get("next", "/"))
        password = Password(fields.get("name", "").strip().lower(), fields.get("password", ""))
        # a session outlives what is remembered: it begins by the password of now, not of two seconds ago
        maker.authenticator.forget(password)
        try:
            identity = await maker.authenticator.identify(password, facts.address, facts.request_id)
        except NotSignedInError:
            return form_page(request, target, refused=True)
        response = let_in(target, await to_thread.run_sync(sessions.begin, identity.name), lifetime)
        drop_cookie(response, LOGIN_COOKIE)
        return response

    @router.get("/me")
    async def me(request: Request) -> Response:
        """Answer who sent the request, and which actions they may do."""
        identity = await maker.identify(read_facts(request))
        document = {
            "name": identity.name,
            "roles": sorted(identity.roles),
            "means": identity.means,
            "actions": sorted(action for action in Action if identity.may(maker.policy, action)),
        }
        return Response(orjson.dumps(document), media_type="application/json", headers=HEADERS)

    @router.get("/account")
    async def account(request: Request) -> Response:
        """Show who is signed in, until when, and the button to sign out."""
        facts = read_facts(request)
        try:
            identity = await maker.identify(facts)
        except NotSignedInError:
            return Response(status_code=303, headers={"Location": f"/auth/login?next={ACCOUNT_PAGE}", **HEADERS})
        credential = read_credential(facts.header("authorization"), facts.header("cookie"))
        until = None
        if identity.means is Means.SESSION and isinstance(credential, SessionCookie):
            session = await to_thread.run_sync(sessions.resolve, credential.value)
            # the identity may be two seconds old, and the session ended since
            until = datetime.fromtimestamp(session.expires).astimezone() if session else None
        browses = identity.may(maker.policy, Action.BROWSE)
        pages = identity.may(maker.policy, Action.PAGES)
        return page(request, "account.html.j2", identity=identity, until=until, browses=browses, pages=pages)

    @router.post("/logout")
    async def logout(request: Request) -> Response:
        """End the browser's session."""
        facts = read_facts(request)
        identity = await maker.identify(facts)
        require_same_origin("POST", identity, page_of_origin(facts))
        credential = read_credential(facts.header("authorization"), facts.header("cookie"))
        response = Response(status_code=303, headers={"Location": "/auth/login", **HEADERS})
        if identity.means is Means.SESSION and isinstance(credential, SessionCookie):
            await to_thread.run_sync(sessions.end, credential.value)
            maker.authenticator.forget(credential)
            await to_thread.run_sync(notify, Logout(who=identity.name, **facts.origin))
            if elsewhere := await single_sign_on.address_after_logout(identity.name):
                # a page and no redirect: browsers hold pages to `form-action 'self'` through redirects too
                response = page(
                    request, "signed_out.html.j2", provider=single_sign_on.label, provider_address=elsewhere
                )
        drop_cookie(response, SESSION_COOKIE)
        drop_cookie(response, CSRF_COOKIE, hidden=False)
        return response

    return router
