"""Routes of single sign-on: sending a browser to the OpenID provider, receiving its answer, and signing out there.

Anybody may open the first route. The second route accepts nothing from the browser until its cookie, its state and the
provider's signed token agree.
"""

from typing import Final
from urllib.parse import parse_qsl

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from sqlalchemy import Engine

from sirena.access.credentials import read_cookie
from sirena.access.decision import RequestFacts
from sirena.access.events import Notify
from sirena.access.external_identities import ExternalIdentities
from sirena.access.http_facts import read_facts
from sirena.access.openid_admission import Admission
from sirena.access.openid_claims import read_person
from sirena.access.openid_configuration import OpenIdConfiguration
from sirena.access.openid_journeys import JOURNEY_COOKIE, JOURNEY_SECONDS, Journeys
from sirena.access.openid_provider import OpenIdProvider
from sirena.access.openid_refusals import NOT_SET_UP, PROVIDER, STATE, TOKEN, SignInRefusedError
from sirena.access.pages import HEADERS, drop_cookie, let_in, local_target, page, set_cookie
from sirena.access.sessions import Sessions
from sirena.ledger.catalogue import Login, LoginFailed

_METHOD: Final = "openid"
_MOST_FIELDS: Final = 20


class SingleSignOn:
    """Single sign-on by one OpenID provider. Without a configuration its routes show that there is no provider."""

    def __init__(
        self,
        configuration: OpenIdConfiguration | None,
        engine: Engine,
        sessions: Sessions,
        notify: Notify,
        *,
        session_hours: float,
    ) -> None:
        self._configuration = configuration
        self._provider = OpenIdProvider(configuration) if configuration else None
        self._identities = ExternalIdentities(engine)
        self._admission = Admission(self._identities, notify)
        self._sessions = sessions
        self._notify = notify
        self._lifetime = int(session_hours * 3600)
        self._journeys = Journeys()

    @property
    def label(self) -> str:
        """Name of the provider on the sign-in page; empty if there is no provider."""
        return self._configuration.shown_label if self._configuration else ""

    def routes(self) -> APIRouter:
        """Return the routes below ``/auth/openid``."""
        router = APIRouter(prefix="/auth/openid")
        router.add_api_route("/start", self.start, methods=["GET"])
        router.add_api_route("/callback", self.callback, methods=["GET"])
        return router

    async def start(self, request: Request) -> Response:
        """Send the browser to the provider."""
        target = local_target(request.query_params.get("next", "/"))
        try:
            _, provider = self._required_provider()
            journey, cookie = self._journeys.begin(target)
            address = await provider.address_for_signing_in(journey.state, journey.nonce, journey.verifier)
        except SignInRefusedError as error:
            return await self._refusal_page(request, error)
        response = Response(status_code=303, headers={"Location": address, **HEADERS})
        set_cookie(response, JOURNEY_COOKIE, cookie, JOURNEY_SECONDS, hidden=True)
        return response

    async def callback(self, request: Request) -> Response:
        """Read the provider's answer, and start a session or show why none is started."""
        facts = read_facts(request)
        try:
            name, target = await self._arrive(request, facts)
        except SignInRefusedError as error:
            response = await self._refusal_page(request, error)
        else:
            await to_thread.run_sync(self._notify, Login(who=name, **facts.origin, method=_METHOD))
            session = await to_thread.run_sync(self._sessions.begin, name)
            response = let_in(target, session, self._lifetime)
        drop_cookie(response, JOURNEY_COOKIE)
        return response

    async def address_after_logout(self, account: str) -> str | None:
        """Return the provider's page for signing out; None if the account does not sign in by the provider."""
        if self._provider is None or account not in await to_thread.run_sync(self._identities.accounts):
            return None
        return await self._provider.address_for_signing_out()

    async def _arrive(self, request: Request, facts: RequestFacts) -> tuple[str, str]:
        configuration, provider = self._required_provider()
        answer = _read_answer(request.url.query)
        journey = self._journeys.end(read_cookie(facts.header("cookie"), JOURNEY_COOKIE), answer.get("state", ""))
        # RFC 9207: an answer that names its sender names the one we asked
        if answer.get("iss", configuration.issuer) != configuration.issuer:
            raise SignInRefusedError(STATE)
        if "code" not in answer:
            raise SignInRefusedError(PROVIDER)
        claims = await provider.claims_for_code(answer["code"], journey.nonce, journey.verifier)
        person = read_person(claims, configuration)
        if person is None:
            raise SignInRefusedError(TOKEN)
        return await to_thread.run_sync(self._admission.admit, person, facts.origin), journey.target

    def _required_provider(self) -> tuple[OpenIdConfiguration, OpenIdProvider]:
        if self._configuration is None or self._provider is None:
            raise SignInRefusedError(NOT_SET_UP)
        return self._configuration, self._provider

    async def _refusal_page(self, request: Request, error: SignInRefusedError) -> Response:
        facts = read_facts(request)
        refusal = error.refusal
        if refusal is not NOT_SET_UP:
            failure = LoginFailed(
                who=error.who, **facts.origin, method=_METHOD, cause=refusal.cause, subject=error.subject
            )
            await to_thread.run_sync(self._notify, failure)
        return page(request, "refused.html.j2", status=refusal.status, refusal=refusal, request_id=facts.request_id)


def _read_answer(query: str) -> dict[str, str]:
    """Return the fields of the provider's answer from the query of the browser's request.

    Raises:
        SignInRefusedError: a field stands twice, or the answer cannot be read.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise SignInRefusedError(STATE) from error
    answer = dict(pairs)
    if len(answer) != len(pairs):
        raise SignInRefusedError(STATE)
    return answer
