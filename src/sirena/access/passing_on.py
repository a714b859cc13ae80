"""Passing a request on to MLflow as the entry understood it."""

from collections.abc import Mapping
from typing import Any, Final

import httpx
import orjson
from fastapi import Response

from sirena.access.decision import RequestFacts
from sirena.access.upstream import UpstreamError

_SECONDS: Final = 60.0
_PASSED_ON: Final = ("content-type", "x-request-id")


class Mlflow:
    """MLflow on loopback, told who asks."""

    def __init__(self, base_url: str) -> None:
        """Pass on to a server; nothing is connected yet."""
        self._client = httpx.AsyncClient(base_url=base_url, timeout=_SECONDS, trust_env=False)

    async def answer(self, facts: RequestFacts, who: str, body: Mapping[str, Any] | None) -> Response:
        """Pass a request on and return MLflow's answer.

        Args:
            facts: the request.
            who: account that asks.
            body: what MLflow shall read, written anew; None for a request without one.

        Raises:
            UpstreamError: MLflow does not answer.
        """
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

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
