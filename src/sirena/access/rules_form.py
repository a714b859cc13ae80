"""The forms of Sirena's pages by which a person saves a version of the hospital's own rules, or approves one.

Rules, each with a test of like name:

- the form comes from a page of this site, and its sender has the right to save or to approve;
- the author or approver in the ledger is the person signed in, whatever the form says;
- after a refusal the browser is redirected to the page of the version, which says why.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from anyio import to_thread
from fastapi import APIRouter, Request, Response

from sirena.access.decision import DecisionMaker
from sirena.access.errors import ForbiddenError
from sirena.access.forms import form_routes, read_form
from sirena.access.http_facts import read_facts
from sirena.access.pages import HEADERS
from sirena.access.room import NoRoomError, Room
from sirena.domain.errors import GateError

SAVE: Final = "/auth/rules/save"
APPROVE: Final = "/auth/rules/approve"
_PAGES: Final = "/app/rules"
_LONGEST: Final = 512 * 1024

_RulesAct = Callable[[Mapping[str, str], Mapping[str, Any]], str]


class RulesStore(Protocol):
    """Store of the versions of the hospital's own rules. Methods may block, and return the version: ``overlay/3``."""

    def save(self, fields: Mapping[str, str], actor: Mapping[str, Any]) -> str:
        """Save a version. Raises `SirenaError` if it cannot be saved."""

    def approve(self, fields: Mapping[str, str], actor: Mapping[str, Any]) -> str:
        """Approve a version, so that it comes into force. Raises `GateError` if this person may not approve it."""


@dataclass(frozen=True)
class RulesForm:
    """Handler of the forms by which people save and approve rules."""

    maker: DecisionMaker
    rules_store: RulesStore | None
    """None if this server has no ledger, so that no rules can be saved."""
    room: Room | None

    def routes(self) -> APIRouter:
        """Return the routes of the forms."""
        return form_routes({SAVE: self.save, APPROVE: self.approve})

    async def save(self, request: Request) -> Response:
        """Save the rules typed into a form as a new version.

        Raises:
            ForbiddenError: the sender lacks the right, or this server keeps no rules of the hospital.
            SirenaError: the rules are not valid, or cannot be saved.
        """
        return await self._act_and_redirect(request, "save")

    async def approve(self, request: Request) -> Response:
        """Approve the version of the rules that a form names.

        Raises:
            ForbiddenError: the sender lacks the right, or this server keeps no rules of the hospital.
            SirenaError: there is no such version, or it was approved already.
        """
        return await self._act_and_redirect(request, "approve")

    async def _act_and_redirect(self, request: Request, act_name: str) -> Response:
        facts = read_facts(request)
        decision = await self.maker.decide(facts)
        request.state.who = decision.identity.name
        if self.rules_store is None:
            raise ForbiddenError("rules are not kept here", hint="they are kept where the audit ledger is")
        if self.room is not None:
            try:
                self.room.require(facts.header("content-length"))
            except NoRoomError as refusal:
                refusal.who = decision.identity.name
                raise
        fields = await read_form(request, longest=_LONGEST)
        actor = {"who": decision.identity.name, **facts.origin}
        act: _RulesAct = self.rules_store.save if act_name == "save" else self.rules_store.approve
        try:
            place = await to_thread.run_sync(act, fields, actor)
        except GateError:
            return _redirect_to(f"{_place(fields)}?refused=1")
        return _redirect_to(f"/{place}?done=1")


def _place(fields: Mapping[str, str]) -> str:
    """Return the path of the page of the version that a form names; empty, for the page of all, if it names none."""
    kind, number = fields.get("kind", ""), fields.get("version", "")
    plain = kind.isascii() and kind.isalpha() and number.isascii() and number.isdigit()
    return f"/{kind}/{number}" if plain else ""


def _redirect_to(place: str) -> Response:
    return Response(status_code=303, headers={"Location": f"{_PAGES}{place}", **HEADERS})
