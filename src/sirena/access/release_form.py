"""The form of Sirena's pages by which a person makes a release of the versions in production.

Rules, each with a test of like name:

- the form comes from a page of this site, and its sender has the right to register releases;
- the author in the ledger and in the release is the person signed in, whatever the form says;
- the new release does not answer yet: somebody must activate it, and only then does stage control ask the gate.
"""

from dataclasses import dataclass
from typing import Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response

from sirena.access.actions import Action
from sirena.access.decision import DecisionMaker
from sirena.access.errors import ForbiddenError
from sirena.access.events import ActOrigin
from sirena.access.forms import form_routes, read_form
from sirena.access.http_facts import read_facts
from sirena.access.pages import HEADERS
from sirena.access.upstream import Upstream
from sirena.ledger.event import new_act

PATH: Final = "/auth/release"
_RELEASES: Final = "/app/releases"
_LONGEST_NOTE: Final = 200


@dataclass(frozen=True)
class ReleaseForm:
    """Handler of the form by which a person makes a release."""

    maker: DecisionMaker
    upstream: Upstream | None
    """MLflow and the gate; None if no MLflow server is configured, so that no release can be made."""
    one_at_a_time: CapacityLimiter
    """Limits how many releases are made at the same time: each takes memory for all truth tables, and a thread."""

    def routes(self) -> APIRouter:
        """Return the route of the form."""
        return form_routes({PATH: self.answer})

    async def answer(self, request: Request) -> Response:
        """Make a release, and redirect the browser to its page.

        Raises:
            ForbiddenError: the sender lacks the right, or no MLflow server is configured.
            SirenaError: nothing is in production, or MLflow or the ledger do not answer.
        """
        facts = read_facts(request)
        decision = await self.maker.decide(facts)
        who = decision.identity.name
        request.state.who = who
        note = " ".join((await read_form(request)).get("note", "").split())[:_LONGEST_NOTE]
        if self.upstream is None:
            raise ForbiddenError("releases are not made here", hint="MLFLOW_TRACKING_URI names no server")
        self.maker.require(decision.identity, Action.REGISTER, self.upstream.release_model)
        by = ActOrigin(who=who, **facts.origin, act=new_act())
        number = await to_thread.run_sync(self.upstream.make_release, note, by, limiter=self.one_at_a_time)
        return Response(status_code=303, headers={"Location": f"{_RELEASES}/{number}", **HEADERS})
