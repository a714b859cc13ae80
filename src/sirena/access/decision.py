"""The decision whether a request may pass: who sent it, what it asks for, and what the policy allows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from anyio import to_thread

from sirena.access.actions import Action
from sirena.access.authentication import Authenticator
from sirena.access.credentials import read_credential
from sirena.access.errors import (
    AmbiguousRequestError,
    ForbiddenError,
    ForgedIdentityError,
    LedOnError,
    LedToPagesError,
    MethodOverrideError,
    NotSignedInError,
    SwitchedOffPollError,
)
from sirena.access.events import RequestOrigin
from sirena.access.identity import NOBODY, Identity, Means
from sirena.access.immutable import Write, read_write
from sirena.access.origin import PageOfOrigin, require_same_origin
from sirena.access.paths import RequestTarget, read_target
from sirena.access.policy import Policy
from sirena.access.routes import RequestedRoute, RouteTable

METHOD_OVERRIDES: Final = frozenset(
    {"x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url"}
)
"""Headers that make some servers use another method or path than that of the request line."""
IDENTITY_HEADERS: Final = frozenset(
    {"x-sirena-user", "x-sirena-role", "x-sirena-roles", "x-sirena-session", "x-sirena-places"}
)
"""Headers that only the entry sets; a client that sends one pretends to be the entry."""


@dataclass(frozen=True)
class RequestFacts:
    """The parts of a request on which its decision rests."""

    method: str
    target: str
    """Path and query as in the request line."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Values by lower-case name; `read_facts` has refused headers that occur twice but may not."""
    address: str = ""
    request_id: str = ""

    def header(self, name: str) -> str:
        """Return a header's value; empty if there is no such header."""
        return self.headers.get(name, "")

    @property
    def origin(self) -> RequestOrigin:
        """Address and id of the request, as fields of its events."""
        return {"origin": self.address, "request_id": self.request_id}


class RegistryLook(Protocol):
    """Queries to the model registry on whose results a decision may depend. The methods may block."""

    def registered(self, identifiers: Iterable[str]) -> bool:
        """Tell whether a registered version comes from one of these runs or logged models."""

    def holds_artifact(self, path: str) -> bool:
        """Tell whether a file lies at a path of MLflow's artifacts."""


@dataclass(frozen=True)
class Decision:
    """A decision that a request may pass."""

    identity: Identity
    request: RequestedRoute
    target: RequestTarget
    write: Write | None = None
    """Artifacts that the request writes; None if the request writes no artifact."""


class DecisionMaker:
    """Decisions on requests, by the route table, the identity of the sender and the policy."""

    def __init__(
        self,
        routes: RouteTable,
        policy: Policy,
        authenticator: Authenticator,
        registry_look: RegistryLook | None = None,
    ) -> None:
        self.routes = routes
        self.policy = policy
        self.authenticator = authenticator
        self._registry_look = registry_look

    async def decide(self, facts: RequestFacts, *, body_is_read: bool = False) -> Decision:
        """Return the decision on a request that may pass; raise an error for any other request.

        Args:
            facts: the request.
            body_is_read: True if the caller (stage control) judges the body itself.

        Raises:
            AmbiguousRequestError: the request can be read in two ways, or pretends to come from the entry.
            NotSignedInError: the request needs a valid credential and has none.
            ForbiddenError: the sender may not do this, or nobody may.
        """
        try:
            refuse_tricks(facts)
            target = read_target(facts.target)
            request = self.routes.classify(facts.method, target)
        except (ForbiddenError, AmbiguousRequestError) as refusal:
            refusal.who = await self._name_for_the_record(facts)
            raise
        if request.action is Action.PUBLIC:
            return Decision(NOBODY, request, target)
        identity = await self.identify(facts)
        try:
            require_same_origin(facts.method, identity, page_of_origin(facts))
            _require_reader(request, body_is_read=body_is_read)
            _refuse_polls(facts.method, identity, request)
            self._lead_on(facts, identity, request)
            write = read_write(facts.method, target)
            certifies = self._may_certify(identity, write)
            if not certifies:
                self.require(identity, request.action, request.model)
            if not await self._leave_registered_alone(write) and certifies:
                self.require(identity, request.action, request.model)
        except ForbiddenError as refusal:
            refusal.who = identity.name
            raise
        return Decision(identity, request, target, write)

    def _lead_on(self, facts: RequestFacts, identity: Identity, request: RequestedRoute) -> None:
        """Lead a browser that may not see MLflow's first page to Sirena's pages, or to the page of the account.

        Raises:
            LedOnError: the browser is to be led on; the entry redirects it by the kind of error.
        """
        first = facts.method == "GET" and request.route.path == "/" and "text/html" in facts.header("accept")
        if not first or identity.may(self.policy, request.action):
            return
        if identity.may(self.policy, Action.PAGES):
            raise LedToPagesError("the first page is MLflow's", hint="see /app/")
        if identity.may(self.policy, Action.OWN_SESSION):
            raise LedOnError("the first page is MLflow's", hint="see /auth/account")

    def _may_certify(self, identity: Identity, write: Write | None) -> bool:
        """Tell whether an approver adds a certificate of a model, which needs no right to train."""
        adds = write is not None and bool(write.new_certificate) and self._registry_look is not None
        return adds and identity.may(self.policy, Action.PROMOTE_PRODUCTION)

    async def _leave_registered_alone(self, write: Write | None) -> bool:
        """Refuse to change the artifacts of a registered version; only a new certificate may be added.

        Returns:
            True when the request adds a certificate to a registered version.

        Raises:
            ForbiddenError: the request would change them.
        """
        if write is None or self._registry_look is None or not write.identifiers:
            return False
        if not await to_thread.run_sync(self._registry_look.registered, write.identifiers):
            return False
        if write.new_certificate and not await to_thread.run_sync(
            self._registry_look.holds_artifact, write.new_certificate
        ):
            return True
        raise ForbiddenError("a registered version comes from this, so it stays as it is", hint="log it anew")

    async def _name_for_the_record(self, facts: RequestFacts) -> str:
        """Return who sent a request that is refused in any case; empty if it has no valid credential."""
        try:
            return (await self.identify(facts)).name
        except (NotSignedInError, AmbiguousRequestError):
            return ""

    async def identify(self, facts: RequestFacts) -> Identity:
        """Return who sent a request.

        Raises:
            NotSignedInError: the request has no credential, or one that is not valid.
        """
        credential = read_credential(facts.header("authorization"), facts.header("cookie"))
        if credential is None:
            raise NotSignedInError("this needs an identity", hint="sign in at /auth/login, or send a token")
        return await self.authenticator.identify(credential, facts.address, facts.request_id)

    def require(self, identity: Identity, action: Action, model: str | None) -> None:
        """Check that the policy allows an identity an action, or raise `ForbiddenError`.

        Raises:
            ForbiddenError: the policy, or the scope of the token, does not allow it.
        """
        if identity.may(self.policy, action, model):
            return
        is_narrowed = self.policy.permits(identity.roles, action, model)
        raise ForbiddenError(
            f"{identity.name} may not do this: it needs the right {action.value}",
            hint="this token is narrowed to less; use another (`sirena token create`)"
            if is_narrowed
            else self.policy.remedy(identity.roles, action, model),
        )


def page_of_origin(facts: RequestFacts) -> PageOfOrigin:
    """Return the headers by which a browser describes the page that sent a request."""
    return PageOfOrigin(
        host=facts.header("x-forwarded-host") or facts.header("host"),
        origin=facts.header("origin"),
        fetch_site=facts.header("sec-fetch-site"),
        csrf_token=facts.header("x-sirena-csrf"),
    )


def _refuse_polls(method: str, identity: Identity, request: RequestedRoute) -> None:
    if request.action is Action.SWITCHED_OFF and method == "GET" and identity.means is Means.SESSION:
        raise SwitchedOffPollError("this is switched off here", hint="Sirena does not use this part of MLflow")


def _require_reader(request: RequestedRoute, *, body_is_read: bool) -> None:
    if request.route.decided_by_body and not body_is_read:
        raise ForbiddenError("this route is decided by stage control, which was not asked")


def refuse_tricks(facts: RequestFacts) -> None:
    """Raise an error if a header asks for another method or path, or claims an identity.

    Raises:
        MethodOverrideError: a header asks for another method or path.
        ForgedIdentityError: a header is one that only the entry sets.
    """
    if METHOD_OVERRIDES & facts.headers.keys():
        raise MethodOverrideError(
            "the method and path of a request stand in its request line",
            hint=f"leave out {', '.join(sorted(METHOD_OVERRIDES & facts.headers.keys()))}",
        )
    if IDENTITY_HEADERS & facts.headers.keys():
        raise ForgedIdentityError("identity headers are the entry's own", hint="send a token, not X-Sirena-User")
