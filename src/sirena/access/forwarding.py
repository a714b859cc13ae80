"""Forwarding requests to MLflow whose body the access service has read itself and writes anew."""

from collections.abc import Mapping
from typing import Any, Final

import httpx
import orjson
from fastapi import Request, Response

from sirena.access.decision import RequestFacts
from sirena.access.errors import AmbiguousRequestError
from sirena.access.upstream import KEPT_CONNECTIONS, Upstream, UpstreamError

JSON: Final = "application/json"
SPANS: Final = "application/x-protobuf"
_LONGEST_BODY: Final = 2**20
"""Bytes."""
_SECONDS: Final = 60.0
_PASSED_ON: Final = ("content-type", "x-request-id", "x-mlflow-experiment-id", "x-mlflow-run-id")


class Forwarder:
    """Client of MLflow that sends requests in the name of an account."""

    def __init__(self, upstream: Upstream) -> None:
        self._client = httpx.AsyncClient(
            base_url=upstream.base_url,
            timeout=_SECONDS,
            limits=KEPT_CONNECTIONS,
            trust_env=False,
            verify=upstream.verify,
        )

    async def send(self, facts: RequestFacts, who: str, body: Mapping[str, Any] | bytes | None) -> Response:
        """Send a request to MLflow and return MLflow's response.

        Args:
            facts: method, target and headers of the request.
            who: account in whose name the request is sent.
            body: the JSON fields or bytes to send; None for a request without a body.

        Raises:
            UpstreamError: MLflow does not answer.
        """
        headers = {name: facts.headers[name] for name in _PASSED_ON if name in facts.headers}
        if body is not None:
            headers["content-type"] = SPANS if isinstance(body, bytes) else JSON
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

    async def close(self) -> None:
        """Close the connections to MLflow."""
        await self._client.aclose()


async def read_body(request: Request, kind: str) -> bytes:
    """Return the body of a request.

    Args:
        request: the request as it arrived.
        kind: media type that the body must have.

    Raises:
        AmbiguousRequestError: the body has another media type, is compressed, or is longer than 1 MiB.
    """
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
