"""Stage control, which decides on the few requests to MLflow whose meaning is in their body.

NGINX sends these requests here instead of asking `/decide`. Stage control finds out who sends a request, reads the
body, applies the policy to it, asks the gate of `sirena promote` if a stage is given, and sends MLflow a body written
anew from what was read.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import orjson
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response

from sirena.access.decision import DecisionMaker, RequestFacts
from sirena.access.errors import AmbiguousRequestError, ForbiddenError
from sirena.access.events import ActOrigin, Notify, StageEvent
from sirena.access.forwarding import JSON, SPANS, Forwarder, read_body
from sirena.access.http_facts import read_facts
from sirena.access.identity import Identity
from sirena.access.ruling import Ruling
from sirena.access.stage_change import StageChange, read_change
from sirena.access.stage_rules import (
    StageNeed,
    body_to_pass_on,
    needs,
    require_own_places,
    require_own_places_of_spans,
)
from sirena.access.upstream import Upstream
from sirena.domain.errors import GateError, SirenaError
from sirena.ledger.catalogue import Activated, Promoted, Registered, Removed, RolledBack, Tagged
from sirena.ledger.event import ActOutcome, Event, new_act

_REFUSED: Final = 300
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_JUDGED_AT_ONCE: Final = 4
"""Most requests judged at the same time; each takes a thread, and memory for its tables."""


@dataclass(frozen=True)
class _Examination:
    """What was found out about a change; it is true until something else in the registry is changed."""

    need: StageNeed
    event: StageEvent | None = None
    """Event of giving the stage; None if the change gives no stage."""
    ruling: Ruling | SirenaError | None = None
    """The gate's decision, or the error by which the gate refused; None if the gate is not needed."""


class StageControl:
    """Stage control: reads a request's body, then refuses the request or forwards it to MLflow."""

    def __init__(self, maker: DecisionMaker, upstream: Upstream, notify: Notify) -> None:
        self._maker = maker
        self._upstream = upstream
        self._notify = notify
        self._forwarder = Forwarder(upstream)
        # from the look at a version to MLflow's answer nothing else changes a stage
        self._one_at_a_time = asyncio.Lock()
        self._changes = 0
        self._gate_limiter = CapacityLimiter(_JUDGED_AT_ONCE)

    def routes(self) -> APIRouter:
        """Return the routes. NGINX sends all methods of a path here, so each path has all its methods."""
        router = APIRouter()
        paths = {route.path for route in self._maker.routes.routes if route.decided_by_body}
        for path in sorted(paths):
            methods = {method for route in self._maker.routes.routes if route.path == path for method in route.methods}
            router.add_api_route(path, self.answer, methods=sorted(methods), include_in_schema=False)
        return router

    async def answer(self, request: Request) -> Response:
        """Refuse a request, or forward it to MLflow.

        Raises:
            AmbiguousRequestError: the body can be read in two ways.
            ForbiddenError: the sender lacks the right, or a rule forbids the change.
            GateError: the gate refuses a stage.
            UpstreamError: MLflow does not answer.
        """
        facts = read_facts(request)
        decision = await self._maker.decide(facts, body_is_read=True)
        who = decision.identity.name
        request.state.who = who
        if not decision.request.route.decided_by_body:
            return await self._forwarder.send(facts, who, None)
        if decision.target.query:
            raise AmbiguousRequestError("what this route does stands in its body, not in the query")
        operation = f"{facts.method} {'/'.join(decision.target.path.split('/')[-2:])}"
        if operation == "POST v1/traces":
            spans = await read_body(request, SPANS)
            require_own_places_of_spans(spans)
            return await self._forwarder.send(facts, who, spans)
        change = read_change(operation, await read_body(request, JSON))
        if change.names_places:
            require_own_places(change)
            return await self._forwarder.send(facts, who, change.body)
        if change.evidence_of:
            return await self._evidence(change, facts, who)
        if change.deletes_experiment:
            return await self._delete_experiment(change, facts, who)
        # the right that the route needs at the least, before anything is looked up for whoever lacks it
        self._maker.require(decision.identity, decision.request.action, change.model)
        return await self.carry_out(change, facts, decision.identity)

    async def carry_out(self, change: StageChange, facts: RequestFacts, identity: Identity) -> Response:
        """Make a change of the registry and record it, if rights, rules and gate allow it.

        Args:
            change: the change to make.
            facts: facts of the request to MLflow that makes the change.
            identity: identity of the sender.

        Raises:
            ForbiddenError: the sender lacks the right, or a rule forbids the change.
            GateError: the gate refuses a stage.
            UpstreamError: MLflow does not answer.
        """
        changes_before, examination = self._changes, None
        by = ActOrigin(who=identity.name, **facts.origin, act=new_act())
        if change.asks_gate:
            # a proof takes seconds, in which nobody else shall wait
            examination = await self._examine(change, identity, by, self._gate_limiter)
        async with self._one_at_a_time:
            if examination is None or (
                self._changes != changes_before and not isinstance(examination.ruling, SirenaError)
            ):
                examination = await self._examine(change, identity, by)
            try:
                response = await self._do(change, examination, facts, by)
            finally:
                self._changes += 1
        if change.registers:
            await self._tell_registered(response, change.model, Registered(**by, model=change.model))
        return response

    async def close(self) -> None:
        """Close the connections to MLflow."""
        await self._forwarder.close()

    async def _examine(
        self, change: StageChange, identity: Identity, by: ActOrigin, limiter: CapacityLimiter | None = None
    ) -> _Examination:
        """Read the version concerned by a change, check the sender's rights, and ask the gate if a stage is given.

        Args:
            change: the change to make.
            identity: identity of the sender.
            by: who asks, as fields of the events.
            limiter: threads for the gate alone; None uses one of the threads that decisions use too.

        Raises:
            ForbiddenError: the sender lacks a right, a rule forbids the change, or a release would be activated by
                MLflow's stage field alone.
        """
        state = None
        if change.concerns_version:
            state = await to_thread.run_sync(self._upstream.state, change.model, change.version)
        elif change.removes:
            state = await to_thread.run_sync(self._upstream.in_production, change.model)
        need = needs(change, state, identity.name)
        for action in need.actions:
            self._maker.require(identity, action, change.model)
            if "new_name" in change.body:
                self._maker.require(identity, action, str(change.body["new_name"]))
        if not need.gate:
            return _Examination(need)
        target = (change.model, change.version, need.gate, by)
        event = await to_thread.run_sync(self._upstream.event_of, *target)
        if change.sets_field and not isinstance(event, Promoted):
            raise ForbiddenError(
                "a release is activated by its alias, which is one write; the stage follows by itself",
                hint=f"sirena release activate {change.version}, or set the alias {need.gate.lower()}",
            )
        try:
            judge = partial(self._upstream.judge, *target, change.override)
            return _Examination(need, event, await to_thread.run_sync(judge, limiter=limiter))
        except SirenaError as refusal:
            return _Examination(need, event, refusal)

    async def _do(self, change: StageChange, examination: _Examination, facts: RequestFacts, by: ActOrigin) -> Response:
        """Make a change that was found permitted, and record it in the ledger."""
        who = by["who"]
        makers: tuple[str, ...] = ()
        if change.registers:
            source, run = (str(change.body.get(field) or "") for field in ("source", "run_id"))
            makers = await to_thread.run_sync(self._upstream.makers, source, run)
        body = body_to_pass_on(change, who, makers)
        if examination.event is not None and examination.ruling is not None:
            return await self._promote(examination.event, examination.ruling, facts, body)
        if change.removes:
            return await self._remove(change, facts, body, by)
        if change.leaves or change.stage in ("None", "Archived"):
            return await self._leave(change, facts, body, by)
        if change.shadows and change.model == self._upstream.release_model:
            return await self._shadow(change, facts, body, by)
        if change.registers:
            return await self._register(Registered(**by, model=change.model), facts, body)
        if change.tags_version_with_ours:
            return await self._tag(change, facts, body, by)
        return await self._forwarder.send(facts, who, body)

    async def _register(self, event: Registered, facts: RequestFacts, body: Mapping[str, Any]) -> Response:
        """Record the intention to register a version and pass the request on; then its files may not be changed."""
        await self._record(event, ActOutcome.INTENDED)
        try:
            return await self._forwarder.send(facts, event.who, body)
        except SirenaError:
            await self._record(event, ActOutcome.FAILED)
            raise
        finally:
            self._upstream.forget_registered()

    async def _tell_registered(self, response: Response, model: str, event: Registered) -> None:
        """Record the outcome of registering, with every file of the version; other changes need not wait for this."""
        if response.status_code >= _REFUSED:
            await self._record(event, ActOutcome.FAILED)
            return
        version = orjson.loads(bytes(response.body))["model_version"]
        tags = {tag["key"]: tag["value"] for tag in version.get("tags", ())}
        event = replace(
            event,
            version=int(version["version"]),
            label_source=tags.get("sirena.label_source", ""),
            digest=digest if _DIGEST.fullmatch(digest := tags.get("sirena.digest", "")) else "",
            files=await to_thread.run_sync(self._upstream.files, model, str(version["version"])),
        )
        await self._record(event, ActOutcome.DONE)

    async def _evidence(self, change: StageChange, facts: RequestFacts, who: str) -> Response:
        """Pass on a request that changes a run or logged model, unless a registered version comes from it.

        Raises:
            ForbiddenError: a registered version comes from it.
        """
        if await to_thread.run_sync(self._upstream.registered, change.evidence_of):
            raise ForbiddenError(
                "a registered version comes from this run, so it stays as it is",
                hint="log everything before registering, or log a new run",
            )
        return await self._forwarder.send(facts, who, body_to_pass_on(change, who))

    async def _delete_experiment(self, change: StageChange, facts: RequestFacts, who: str) -> Response:
        """Pass on a request that deletes an experiment, unless registered versions come from its runs.

        Raises:
            ForbiddenError: registered versions come from its runs.
        """
        async with self._one_at_a_time:  # nothing is registered from it between the look and MLflow's answer
            if await to_thread.run_sync(self._upstream.holds_registered, change.deletes_experiment):
                raise ForbiddenError(
                    "registered versions come from runs of this experiment, so it is not deleted",
                    hint="delete runs of no version one by one; `sirena gc` removes the versions that nothing needs",
                )
            return await self._forwarder.send(facts, who, body_to_pass_on(change, who))

    async def _promote(
        self, event: StageEvent, ruling: Ruling | SirenaError, facts: RequestFacts, body: Mapping[str, Any]
    ) -> Response:
        """Record the intention to give a stage; pass the request on if the gate agreed; record the outcome."""
        if isinstance(ruling, Ruling):
            await self._record(ruling.event, ActOutcome.INTENDED)
            return await self._carry_out(ruling, facts, body)
        await self._record(event, ActOutcome.INTENDED)
        if isinstance(ruling, GateError):
            await to_thread.run_sync(self._notify, _refusal_of(event))
        else:
            await self._record(event, ActOutcome.FAILED)
        raise ruling

    async def _leave(
        self, change: StageChange, facts: RequestFacts, body: Mapping[str, Any], by: ActOrigin
    ) -> Response:
        """Pass on a request that takes a stage away from a version, and record it as an event `Promoted`."""
        version = "" if change.leaves else change.version
        stage = change.leaves or change.stage
        ruling = await to_thread.run_sync(self._upstream.leave, change.model, version, stage, by)
        if ruling is None:
            return await self._forwarder.send(facts, by["who"], body)
        await self._record(ruling.event, ActOutcome.INTENDED)
        return await self._carry_out(ruling, facts, body)

    async def _shadow(
        self, change: StageChange, facts: RequestFacts, body: Mapping[str, Any], by: ActOrigin
    ) -> Response:
        """Pass on a request that names the shadow release, or names none, and record it."""
        version = change.version if change.concerns_version else None
        ruling = await to_thread.run_sync(self._upstream.shadow, version, by)
        await self._record(ruling.event, ActOutcome.INTENDED)
        return await self._carry_out(ruling, facts, body)

    async def _remove(
        self, change: StageChange, facts: RequestFacts, body: Mapping[str, Any], by: ActOrigin
    ) -> Response:
        """Pass on a request that deletes or renames a model or version, and record it before and after."""
        version = int(change.version) if change.concerns_version else None
        event = Removed(**by, model=change.model, version=version, new_name=str(body.get("new_name", "")))
        await self._record(event, ActOutcome.INTENDED)
        return await self._carry_out(Ruling(event), facts, body)

    async def _tag(self, change: StageChange, facts: RequestFacts, body: Mapping[str, Any], by: ActOrigin) -> Response:
        """Pass on a request that writes one of Sirena's tags, and record it before and after."""
        tag, value = str(body["key"]), str(body["value"])
        event = Tagged(**by, model=change.model, version=int(change.version), tag=tag, written=value)
        await self._record(event, ActOutcome.INTENDED)
        return await self._carry_out(Ruling(event), facts, body)

    async def _carry_out(self, ruling: Ruling, facts: RequestFacts, body: Mapping[str, Any]) -> Response:
        """Announce a change in the registry, make it, confirm it there, and record the outcome in the ledger."""
        try:
            await to_thread.run_sync(ruling.announce)
            response = await self._forwarder.send(facts, ruling.event.who, body)
            if response.status_code < _REFUSED:
                await to_thread.run_sync(ruling.confirm)
        except SirenaError:
            await self._record(ruling.event, ActOutcome.FAILED)
            raise
        is_done = response.status_code < _REFUSED
        if is_done and ruling.override is not None:
            await to_thread.run_sync(self._notify, ruling.override)
        await self._record(ruling.event, ActOutcome.DONE if is_done else ActOutcome.FAILED)
        return response

    async def _record(self, event: Event, outcome: ActOutcome) -> None:
        await to_thread.run_sync(self._notify, event.concluded(outcome))


def _refusal_of(event: StageEvent) -> Event:
    """Return the event of the gate's refusal; a refused rollback is recorded as a refused activation."""
    if isinstance(event, RolledBack):
        event = Activated(
            who=event.who, origin=event.origin, request_id=event.request_id, act=event.act, release=event.release
        )
    return event.refused()
