"""Stage control: the few routes of MLflow whose meaning stands in their body.

NGINX sends them here instead of asking `/decide`. We say who asks, read the body, apply the policy to what it really
does, ask the gate of `sirena promote` where a stage is given, and pass on to MLflow what we read, written anew.
"""

import asyncio
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import orjson
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response

from sirena.access.decision import DecisionMaker, RequestFacts
from sirena.access.errors import AmbiguousRequestError, ForbiddenError
from sirena.access.events import Notify
from sirena.access.http_facts import read_facts
from sirena.access.identity import Identity
from sirena.access.ruling import Ruling
from sirena.access.stage_rules import (
    StageChange,
    StageNeed,
    body_to_pass_on,
    needs,
    read_change,
    require_own_places,
    require_own_places_of_spans,
)
from sirena.access.upstream import KEPT_CONNECTIONS, Upstream, UpstreamError
from sirena.domain.errors import GateError, SirenaError

_LONGEST_BODY: Final = 2**20
_SECONDS: Final = 60.0
_REFUSED: Final = 300
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_COMMON: Final = ("who", "origin", "request_id", "act")
_PASSED_ON: Final = ("content-type", "x-request-id", "x-mlflow-experiment-id", "x-mlflow-run-id")
_JSON: Final = "application/json"
_SPANS: Final = "application/x-protobuf"
_JUDGED_AT_ONCE: Final = 4
"""Requests whose proof may be going on while others change stages; each holds a thread, and memory for its tables."""


@dataclass(frozen=True)
class _Examined:
    """What was found out about a change; true while nothing else was changed."""

    need: StageNeed
    ruling: Ruling | SirenaError | None = None
    """What the gate said, or why it said nothing; None where it need not be asked."""


class StageControl:
    """Decides by the body and passes on."""

    def __init__(self, maker: DecisionMaker, upstream: Upstream, notify: Notify) -> None:
        self._maker = maker
        self._upstream = upstream
        self._notify = notify
        self._client = httpx.AsyncClient(
            base_url=upstream.base_url,
            timeout=_SECONDS,
            limits=KEPT_CONNECTIONS,
            trust_env=False,
            verify=upstream.verify,
        )
        # from the look at a version to MLflow's answer nothing else changes a stage
        self._one_at_a_time = asyncio.Lock()
        self._changes = 0
        self._judging = CapacityLimiter(_JUDGED_AT_ONCE)

    def routes(self) -> APIRouter:
        """Return the routes; every method of a path that NGINX sends here is answered here."""
        router = APIRouter()
        paths = {route.path for route in self._maker.routes.routes if route.decided_by_body}
        for path in sorted(paths):
            methods = {method for route in self._maker.routes.routes if route.path == path for method in route.methods}
            router.add_api_route(path, self.answer, methods=sorted(methods), include_in_schema=False)
        return router

    async def answer(self, request: Request) -> Response:
        """Decide one request and pass it on.

        Raises:
            AmbiguousRequestError: its body can be read in two ways.
            ForbiddenError: right or rule are missing.
            GateError: the gate refuses a stage.
            UpstreamError: MLflow does not answer.
        """
        facts = read_facts(request)
        decision = await self._maker.decide(facts, body_is_read=True)
        who = decision.identity.name
        request.state.who = who
        if not decision.asked.route.decided_by_body:
            return await self._pass_on(facts, who, None)
        if decision.target.query:
            raise AmbiguousRequestError("what this route does stands in its body, not in the query")
        operation = f"{facts.method} {'/'.join(decision.target.path.split('/')[-2:])}"
        if operation == "POST v1/traces":
            spans = await _body(request, _SPANS)
            require_own_places_of_spans(spans)
            return await self._pass_on(facts, who, spans)
        change = read_change(operation, await _body(request, _JSON))
        if change.names_places:
            require_own_places(change)
            return await self._pass_on(facts, who, change.body)
        if change.evidence_of:
            return await self._evidence(change, facts, who)
        if change.deletes_experiment:
            return await self._delete_experiment(change, facts, who)
        # the right that the route needs at the least, before anything is looked up for whoever lacks it
        self._maker.require(decision.identity, decision.asked.action, change.model)
        return await self.carry_out(change, facts, decision.identity)

    async def carry_out(self, change: StageChange, facts: RequestFacts, identity: Identity) -> Response:
        """Do one change of the registry, if rights, rules and gate allow it, on record.

        Args:
            change: as asked for.
            facts: the request of MLflow's that does it.
            identity: who asks.

        Raises:
            ForbiddenError: right or rule are missing.
            GateError: the gate refuses a stage.
            UpstreamError: MLflow does not answer.
        """
        who, seen, examined = identity.name, self._changes, None
        record = self._record(facts, who) | {"model": change.model, "version": None}
        if change.asks_gate:
            # a proof takes seconds, in which nobody else shall wait
            examined = await self._examine(change, identity, self._judging)
        async with self._one_at_a_time:
            if examined is None or (self._changes != seen and not isinstance(examined.ruling, SirenaError)):
                examined = await self._examine(change, identity)
            try:
                response = await self._do(change, examined, who, facts, record)
            finally:
                self._changes += 1
        if change.registers:
            await self._tell_registered(response, record)
        return response

    async def close(self) -> None:
        """Close the connections to MLflow."""
        await self._client.aclose()

    async def _examine(
        self, change: StageChange, identity: Identity, limiter: CapacityLimiter | None = None
    ) -> _Examined:
        """Look at what is changed, require the rights for it, and ask the gate where a stage is given.

        Args:
            change: as asked for.
            identity: who asks.
            limiter: threads of its own for the gate; None takes one of those that decisions use too.

        Raises:
            ForbiddenError: right or rule are missing, or a release would be activated by MLflow's stage field alone.
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
            return _Examined(need)
        if change.sets_field and await self._is_activation(change, need.gate):
            raise ForbiddenError(
                "a release is activated by its alias, which is one write; the stage follows by itself",
                hint=f"sirena release activate {change.version}, or set the alias {need.gate.lower()}",
            )
        asked = (change.model, change.version, need.gate, identity.name, change.override)
        try:
            return _Examined(need, await to_thread.run_sync(self._upstream.judge, *asked, limiter=limiter))
        except SirenaError as refusal:
            return _Examined(need, refusal)

    async def _is_activation(self, change: StageChange, stage: str) -> bool:
        """Tell whether giving the stage would be the activation of a release."""
        act = await to_thread.run_sync(self._upstream.act, change.model, change.version, stage)
        return act != "promoted"

    async def _do(
        self, change: StageChange, examined: _Examined, who: str, facts: RequestFacts, record: Mapping[str, Any]
    ) -> Response:
        """Do what was examined, on record."""
        makers: tuple[str, ...] = ()
        if change.registers:
            source, run = (str(change.body.get(field) or "") for field in ("source", "run_id"))
            makers = await to_thread.run_sync(self._upstream.makers, source, run)
        body = body_to_pass_on(change, who, makers)
        if examined.ruling is not None:
            return await self._promote(change, examined.need.gate, examined.ruling, who, facts, body)
        if change.removes:
            return await self._remove(change, who, facts, body)
        if change.leaves or change.stage in ("None", "Archived"):
            return await self._leave(change, who, facts, body)
        if change.registers:
            return await self._register(facts, body, record)
        if change.tags_version_with_ours:
            return await self._tag(change, who, facts, body)
        return await self._pass_on(facts, who, body)

    async def _register(self, facts: RequestFacts, body: Mapping[str, Any], record: Mapping[str, Any]) -> Response:
        """Pass on what makes a version, on record before; from then on what it is made of stays as it is."""
        await to_thread.run_sync(self._notify, "registered", {**record, "outcome": "intended"})
        try:
            return await self._pass_on(facts, str(record["who"]), body)
        except SirenaError:
            await to_thread.run_sync(self._notify, "registered", {**record, "outcome": "failed"})
            raise
        finally:
            self._upstream.forget_registered()

    async def _tell_registered(self, response: Response, record: Mapping[str, Any]) -> None:
        """Put on record what came of it, with every file of the version; others change the registry meanwhile."""
        outcome: dict[str, Any] = {"outcome": "failed"}
        if response.status_code < _REFUSED:
            version = orjson.loads(bytes(response.body))["model_version"]
            tags = {tag["key"]: tag["value"] for tag in version.get("tags", ())}
            outcome = {
                "outcome": "done",
                "version": int(version["version"]),
                "label_source": tags.get("sirena.label_source", ""),
                "digest": digest if _DIGEST.fullmatch(digest := tags.get("sirena.digest", "")) else "",
                "files": await to_thread.run_sync(self._upstream.files, record["model"], str(version["version"])),
            }
        await to_thread.run_sync(self._notify, "registered", {**record, **outcome})

    async def _evidence(self, change: StageChange, facts: RequestFacts, who: str) -> Response:
        """Pass on what is written of a run or logged model, unless a registered version comes from it.

        Raises:
            ForbiddenError: one does.
        """
        if await to_thread.run_sync(self._upstream.registered, change.evidence_of):
            raise ForbiddenError(
                "a registered version comes from this run, so it stays as it is",
                hint="log everything before registering, or log a new run",
            )
        return await self._pass_on(facts, who, body_to_pass_on(change, who))

    async def _delete_experiment(self, change: StageChange, facts: RequestFacts, who: str) -> Response:
        """Pass on what deletes an experiment, unless registered versions come from its runs.

        Raises:
            ForbiddenError: some do.
        """
        async with self._one_at_a_time:  # nothing is registered from it between the look and MLflow's answer
            if await to_thread.run_sync(self._upstream.holds_registered, change.deletes_experiment):
                raise ForbiddenError(
                    "registered versions come from runs of this experiment, so it is not deleted",
                    hint="delete runs of no version one by one; `sirena gc` removes the versions that nothing needs",
                )
            return await self._pass_on(facts, who, body_to_pass_on(change, who))

    async def _promote(
        self,
        change: StageChange,
        stage: str,
        ruling: Ruling | SirenaError,
        who: str,
        facts: RequestFacts,
        body: Mapping[str, Any],
    ) -> Response:
        """Pass on what the gate agrees to, with the intention on record before and the outcome after."""
        record = self._record(facts, who) | {
            "model": change.model,
            "version": int(change.version),
            "stage": stage,
        }
        event = await to_thread.run_sync(self._upstream.act, change.model, change.version, stage)
        judged = dict(ruling.facts) if isinstance(ruling, Ruling) else {}
        await to_thread.run_sync(self._notify, event, record | judged | {"outcome": "intended"})
        if isinstance(ruling, GateError):
            await to_thread.run_sync(self._notify, "promotion_refused", record)
            raise ruling
        if isinstance(ruling, SirenaError):
            await to_thread.run_sync(self._notify, event, record | {"outcome": "failed"})
            raise ruling
        return await self._carry_out(event, ruling, record, facts, body)

    async def _leave(self, change: StageChange, who: str, facts: RequestFacts, body: Mapping[str, Any]) -> Response:
        """Pass on what takes a stage away, on record like what gives one."""
        version = "" if change.leaves else change.version
        stage = change.leaves or change.stage
        ruling = await to_thread.run_sync(self._upstream.leave, change.model, version, stage, who)
        if ruling is None:
            return await self._pass_on(facts, who, body)
        record = self._record(facts, who) | dict(ruling.facts)
        await to_thread.run_sync(self._notify, "promoted", record | {"outcome": "intended"})
        return await self._carry_out("promoted", ruling, record, facts, body)

    async def _remove(self, change: StageChange, who: str, facts: RequestFacts, body: Mapping[str, Any]) -> Response:
        """Pass on what removes or renames, on record before and after."""
        record = self._record(facts, who) | {
            "model": change.model,
            "version": int(change.version) if change.concerns_version else None,
            "new_name": str(body.get("new_name", "")),
        }
        await to_thread.run_sync(self._notify, "removed", record | {"outcome": "intended"})
        return await self._carry_out("removed", Ruling(), record, facts, body)

    async def _tag(self, change: StageChange, who: str, facts: RequestFacts, body: Mapping[str, Any]) -> Response:
        """Pass on a tag of ours, on record before and after."""
        record = self._record(facts, who) | {
            "model": change.model,
            "version": int(change.version),
            "tag": str(body["key"]),
            "written": str(body["value"]),
        }
        await to_thread.run_sync(self._notify, "tagged", record | {"outcome": "intended"})
        return await self._carry_out("tagged", Ruling(), record, facts, body)

    async def _carry_out(
        self, event: str, ruling: Ruling, record: Mapping[str, Any], facts: RequestFacts, body: Mapping[str, Any]
    ) -> Response:
        """Announce in the registry, do, confirm there and in the ledger."""
        said = {**record, **ruling.facts}
        try:
            await to_thread.run_sync(ruling.announce)
            response = await self._pass_on(facts, str(record["who"]), body)
            if response.status_code < _REFUSED:
                await to_thread.run_sync(ruling.confirm)
        except SirenaError:
            await to_thread.run_sync(self._notify, event, said | {"outcome": "failed"})
            raise
        done = response.status_code < _REFUSED
        if done and ruling.override is not None:
            common = {name: record[name] for name in _COMMON}
            await to_thread.run_sync(self._notify, "overridden", common | dict(ruling.override))
        await to_thread.run_sync(self._notify, event, said | {"outcome": "done" if done else "failed"})
        return response

    def _record(self, facts: RequestFacts, who: str) -> dict[str, Any]:
        return {"who": who, **facts.record, "act": uuid.uuid4().hex}

    async def _pass_on(self, facts: RequestFacts, who: str, body: Mapping[str, Any] | bytes | None) -> Response:
        headers = {name: facts.headers[name] for name in _PASSED_ON if name in facts.headers}
        if body is not None:
            headers["content-type"] = _SPANS if isinstance(body, bytes) else _JSON
        try:
            answer = await self._client.request(
                facts.method,
                facts.target,
                content=orjson.dumps(body) if isinstance(body, Mapping) else body,
                headers=headers | {"X-Sirena-User": who},
            )
        except httpx.HTTPError as error:
            raise UpstreamError("MLflow does not answer", hint="try again; `sirena status` tells its state") from error
        return Response(answer.content, status_code=answer.status_code, media_type=answer.headers.get("content-type"))


async def _body(request: Request, kind: str) -> bytes:
    if not request.headers.get("content-type", "").lower().startswith(kind) or "content-encoding" in request.headers:
        raise AmbiguousRequestError(f"the body is sent as {kind}, uncompressed")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _LONGEST_BODY:
            raise AmbiguousRequestError("the body is too large")
        chunks.append(chunk)
    return b"".join(chunks)
