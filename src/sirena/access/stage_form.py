"""The form of Sirena's pages by which a person gives a version a stage, or has a release answer.

It asks stage control for the same changes, in the same order, as `sirena promote` does through the entry: the alias,
which is what counts, the stage field, and the alias that the version had before. So right, gate, proof, ledger and the
author's exclusion are those of MLflow's own routes.

Rules, each with a test of like name:

- the form comes from a page of this very site;
- whoever has no right to a stage is refused before anything is looked up, on record;
- after a refusal of the gate the browser is led back, and the page says what the gate found;
- it leads to pages of Sirena and nowhere else.
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
class Wish:
    """What somebody asks for by the form."""

    model: str
    version: str
    stage: str
    override: str
    """Reason to decide against the gate; empty for none."""
    back: str
    """Page to which the browser is led."""

    @classmethod
    def of(cls, fields: dict[str, str]) -> "Wish":
        """Read the fields.

        Raises:
            AmbiguousRequestError: they are not those of our pages.
        """
        model, version, stage = (fields.get(name, "") for name in ("model", "version", "stage"))
        if not model or not (version.isascii() and version.isdigit()) or stage not in _GIVEN:
            raise AmbiguousRequestError("the form names no version and stage", hint="use the form of the page")
        back = local_target(fields.get("back", ""))
        plain = back.startswith(_PAGES) and "?" not in back and "#" not in back
        return cls(model, version, stage, fields.get("override", "").strip(), back if plain else _PAGES)

    def changes(self, state: VersionState | None) -> Iterator[StageChange]:
        """Yield the changes that the wish needs, in their order, given what the version has now."""
        named = {"name": self.model, "version": self.version}
        if alias := _ALIASES.get(self.stage):
            reason = {"override": self.override} if self.override else {}
            yield StageChange("POST registered-models/alias", {"name": self.model, "alias": alias, **named, **reason})
        moved = {"stage": self.stage, "archive_existing_versions": self.stage in _ALIASES}
        yield StageChange("POST model-versions/transition-stage", {**named, **moved})
        for held in state.aliases if state else ():
            if held != self.stage:
                yield StageChange("DELETE registered-models/alias", {"name": self.model, "alias": _ALIASES[held]})

    def led_back(self, outcome: dict[str, str]) -> Response:
        """Return the answer that leads the browser back to the page, which shows the stage as it is now."""
        return Response(status_code=303, headers={"Location": f"{self.back}?{urlencode(outcome)}", **HEADERS})


@dataclass(frozen=True)
class StageForm:
    """Answers the form."""

    maker: DecisionMaker
    control: StageControl | None
    upstream: Upstream | None

    def routes(self) -> APIRouter:
        """Return its route."""
        return form_routes({PATH: self.answer})

    async def answer(self, request: Request) -> Response:
        """Decide one form.

        Raises:
            AmbiguousRequestError: it is none of ours.
            ForbiddenError: right or rule are missing, or this service knows no MLflow.
            UpstreamError: MLflow does not answer, or does not do it.
        """
        facts = read_facts(request)
        decision = await self.maker.decide(facts)
        request.state.who = decision.identity.name
        wish = Wish.of(await read_form(request))
        if self.control is None or self.upstream is None:
            raise ForbiddenError("changes of stages are refused here", hint="MLFLOW_TRACKING_URI names no server")
        try:
            state = await to_thread.run_sync(self.upstream.state, wish.model, wish.version)
            for change in wish.changes(state):
                await self._carry_out(self.control, change, facts, decision.identity)
        except GateError:
            return wish.led_back({"refused": "1", "stage": wish.stage})
        return wish.led_back({"done": "1"})

    async def _carry_out(
        self, control: StageControl, change: StageChange, facts: RequestFacts, identity: Identity
    ) -> Any:
        method, route = change.operation.split(" ")
        passed_on = replace(facts, method=method, target=f"{_ROUTES}{route}")
        response = await control.carry_out(change, passed_on, identity)
        if response.status_code >= _REFUSED:
            raise UpstreamError("MLflow did not do this", hint="try again; `sirena status` tells its state")
