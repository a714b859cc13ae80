"""The form of Sirena's pages by which a person gives a version a stage, or activates a release.

The form asks stage control for the same changes, in the same order, as `sirena promote` makes through the entry: first
the alias, which determines the stage, then the stage field, then the deletion of the version's former alias. So rights,
gate, proof, ledger and the exclusion of the author are the same.

Rules, each with a test of like name:

- the form comes from a page of this site;
- a person without the right to give the stage is refused before anything is looked up, and the refusal is recorded;
- after a refusal by the gate the browser is redirected to the page, which says what the gate found;
- the browser is redirected to pages of Sirena and nowhere else.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from anyio import to_thread
from fastapi import APIRouter, Request, Response

from sirena.access.decision import DecisionMaker, RequestFacts
from sirena.access.errors import AmbiguousRequestError, ForbiddenError
from sirena.access.forms import form_routes, read_form
from sirena.access.http_facts import read_facts
from sirena.access.identity import Identity
from sirena.access.pages import HEADERS, local_target
from sirena.access.stage_change import StageChange
from sirena.access.stage_control import StageControl
from sirena.access.tag_rules import VersionState
from sirena.access.upstream import Upstream, UpstreamError
from sirena.domain.errors import GateError

PATH: Final = "/auth/stage"
_ROUTES: Final = "/api/2.0/mlflow/"
_ALIASES: Final = {"Staging": "staging", "Production": "production"}
_GIVEN: Final = (*_ALIASES, "Archived")
_PAGES: Final = "/app/"
_REFUSED: Final = 300


@dataclass(frozen=True)
class StageRequest:
    """A change of a stage that a person asks for by the form."""

    model: str
    version: str
    stage: str
    override: str
    """Reason for overriding the gate; empty if the person does not override it."""
    back: str
    """Page to which the browser is redirected."""

    @classmethod
    def of(cls, fields: dict[str, str]) -> "StageRequest":
        """Create the request from the fields of the form.

        Raises:
            AmbiguousRequestError: model, version or stage are missing or malformed.
        """
        model, version, stage = (fields.get(name, "") for name in ("model", "version", "stage"))
        if not model or not (version.isascii() and version.isdigit()) or stage not in _GIVEN:
            raise AmbiguousRequestError("the form names no version and stage", hint="use the form of the page")
        back = local_target(fields.get("back", ""))
        plain = back.startswith(_PAGES) and "?" not in back and "#" not in back
        return cls(model, version, stage, fields.get("override", "").strip(), back if plain else _PAGES)

    def changes(self, state: VersionState | None) -> Iterator[StageChange]:
        """Yield the changes to make, in their order, given the current state of the version."""
        reference = {"name": self.model, "version": self.version}
        if alias := _ALIASES.get(self.stage):
            reason = {"override": self.override} if self.override else {}
            yield StageChange(
                "POST registered-models/alias", {"name": self.model, "alias": alias, **reference, **reason}
            )
        stage_move = {"stage": self.stage, "archive_existing_versions": self.stage in _ALIASES}
        yield StageChange("POST model-versions/transition-stage", {**reference, **stage_move})
        for present_alias in state.aliases if state else ():
            if present_alias != self.stage:
                yield StageChange(
                    "DELETE registered-models/alias", {"name": self.model, "alias": _ALIASES[present_alias]}
                )

    def redirect_back(self, outcome: dict[str, str]) -> Response:
        """Return the response that redirects the browser to the page, with the outcome in the query."""
        return Response(status_code=303, headers={"Location": f"{self.back}?{urlencode(outcome)}", **HEADERS})


@dataclass(frozen=True)
class StageForm:
    """Handler of the form by which a person gives a model version a stage."""

    maker: DecisionMaker
    control: StageControl | None
    upstream: Upstream | None

    def routes(self) -> APIRouter:
        """Return the route of the form."""
        return form_routes({PATH: self.answer})

    async def answer(self, request: Request) -> Response:
        """Make the changes that a form asks for, or redirect to the page if the gate refuses.

        Raises:
            AmbiguousRequestError: the form is malformed.
            ForbiddenError: the sender lacks the right, a rule forbids it, or no MLflow server is configured.
            UpstreamError: MLflow does not answer, or did not make a change.
        """
        facts = read_facts(request)
        decision = await self.maker.decide(facts)
        request.state.who = decision.identity.name
        stage_request = StageRequest.of(await read_form(request))
        if self.control is None or self.upstream is None:
            raise ForbiddenError("changes of stages are refused here", hint="MLFLOW_TRACKING_URI names no server")
        try:
            state = await to_thread.run_sync(self.upstream.state, stage_request.model, stage_request.version)
            for change in stage_request.changes(state):
                await self._carry_out(self.control, change, facts, decision.identity)
        except GateError:
            return stage_request.redirect_back({"refused": "1", "stage": stage_request.stage})
        return stage_request.redirect_back({"done": "1"})

    async def _carry_out(
        self, control: StageControl, change: StageChange, facts: RequestFacts, identity: Identity
    ) -> Any:
        method, route = change.operation.split(" ")
        passed_on = replace(facts, method=method, target=f"{_ROUTES}{route}")
        response = await control.carry_out(change, passed_on, identity)
        if response.status_code >= _REFUSED:
            raise UpstreamError("MLflow did not do this", hint="try again; `sirena status` tells its state")
