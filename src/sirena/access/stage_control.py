"""Stage control: the few routes of MLflow whose meaning stands in their body.

NGINX sends them here instead of asking `/decide`. We say who asks, read the body, apply the policy to what it really
does, ask the gate of `sirena promote` where a stage is given, and pass on to MLflow what we read, written anew.
"""

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any, Final, Protocol

import httpx
import orjson
from anyio import to_thread
from fastapi import APIRouter, Request, Response

from sirena.access.decision import DecisionMaker, RequestFacts
from sirena.access.errors import AmbiguousRequestError
from sirena.access.events import Notify
from sirena.access.http_facts import read_facts
from sirena.access.stage_rules import Change, VersionState, needs, read_change, with_author
from sirena.domain.errors import GateError, SirenaError

_LONGEST_BODY: Final = 2**20
_SECONDS: Final = 60.0
_PASSED_ON: Final = ("content-type", "x-request-id")


class Upstream(Protocol):
    """MLflow and the gate, as far as stage control needs them. The methods may block."""

    base_url: str
    """Where MLflow listens, on loopback."""

    def state(self, model: str, version: str) -> VersionState | None:
        """Return what the registry holds of a version, None if there is none."""

    def judge(self, model: str, version: str, stage: str, approver: str) -> None:
        """Hold a version against the criteria of a stage.

        Raises:
            GateError: the gate refuses.
        """


class UpstreamError(SirenaError):
    """MLflow does not answer."""

    code = "upstream"
    status = 502


class StageControl:
    """Decides by the body and passes on."""

    def __init__(self, maker: DecisionMaker, upstream: Upstream, notify: Notify) -> None:
        self._maker = maker
        self._upstream = upstream
        self._notify = notify
        self._client = httpx.AsyncClient(base_url=upstream.base_url, timeout=_SECONDS, trust_env=False)
        # from the look at a version to MLflow's answer nothing else changes a stage
        self._one_at_a_time = asyncio.Lock()

    def routes(self) -> APIRouter:
        """Return the routes; every method of a path that NGINX sends here is answered here."""
        router = APIRouter()
        paths = {route.path for route in self._maker.routes.routes if route.decided_by_body}
        for path in sorted(paths):
            methods = {method for route in self._maker.routes.routes if route.path == path for method in route.methods}
            router.add_api_route(path, self.answer, methods=sorted(methods), include_in_schema=False)
        return router

    async def answer(self, request: Request) -> Response:
        """Decide one request and pass it on."""
        facts = read_facts(request)
        decision = await self._maker.decide(facts, body_is_read=True)
        who = decision.identity.name
        request.state.who = who
        if not decision.asked.route.decided_by_body:
            return await self._pass_on(facts, who, None)
        if decision.target.query:
            raise AmbiguousRequestError("what this route does stands in its body, not in the query")
        operation = f"{facts.method} {'/'.join(decision.target.path.split('/')[-2:])}"
        change = read_change(operation, await _body(request))
        # the right that the route needs at the least, before anything is looked up for whoever lacks it
        self._maker.require(decision.identity, decision.asked.action, change.model)
        async with self._one_at_a_time:
            state = None
            if change.concerns_version:
                state = await to_thread.run_sync(self._upstream.state, change.model, change.version)
            need = needs(change, state, who)
            for action in need.actions:
                self._maker.require(decision.identity, action, change.model)
                if "new_name" in change.body:
                    self._maker.require(decision.identity, action, str(change.body["new_name"]))
            body = with_author(change, who)
            if not need.gate:
                return await self._pass_on(facts, who, body)
            return await self._promote(change, need.gate, who, facts, body)

    async def close(self) -> None:
        """Close the connections to MLflow."""
        await self._client.aclose()

    async def _promote(
        self, change: Change, stage: str, who: str, facts: RequestFacts, body: Mapping[str, Any]
    ) -> Response:
        """Ask the gate and pass on, with the intention on record before and the outcome after."""
        record = {
            "who": who,
            "origin": facts.address,
            "request_id": facts.request_id,
            "act": uuid.uuid4().hex,
            "model": change.model,
            "version": int(change.version),
            "stage": stage,
        }
        await to_thread.run_sync(self._notify, "promoted", record | {"outcome": "intended"})
        try:
            await to_thread.run_sync(self._upstream.judge, change.model, change.version, stage, who)
        except GateError:
            await to_thread.run_sync(self._notify, "promotion_refused", record)
            raise
        except SirenaError:
            await to_thread.run_sync(self._notify, "promoted", record | {"outcome": "failed"})
            raise
        response = await self._pass_on(facts, who, body)
        outcome = "done" if response.status_code < 300 else "failed"
        await to_thread.run_sync(self._notify, "promoted", record | {"outcome": outcome})
        return response

    async def _pass_on(self, facts: RequestFacts, who: str, body: Mapping[str, Any] | None) -> Response:
        headers = {name: facts.headers[name] for name in _PASSED_ON if name in facts.headers}
        if body is not None:
            headers["content-type"] = "application/json"
        try:
            answer = await self._client.request(
                facts.method,
                facts.target,
                content=orjson.dumps(body) if body is not None else None,
                headers=headers | {"X-Sirena-User": who},
            )
        except httpx.HTTPError as error:
            raise UpstreamError("MLflow does not answer", hint="try again; `sirena status` tells its state") from error
        return Response(answer.content, status_code=answer.status_code, media_type=answer.headers.get("content-type"))


async def _body(request: Request) -> bytes:
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        raise AmbiguousRequestError("the body is sent as application/json")
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _LONGEST_BODY:
            raise AmbiguousRequestError("the body is too large")
        chunks.append(chunk)
    return b"".join(chunks)
