"""Reading the facts that a decision needs from an HTTP request that NGINX sent.

NGINX sends these headers, and overwrites what the client sent in them: ``X-Original-Method`` ($request_method),
``X-Original-URI`` ($request_uri), ``X-Forwarded-Host`` (name and port the client connected to), ``X-Real-IP``
($remote_addr), ``X-Request-Id``, and with a request for a decision ``X-Original-Length`` ($content_length). The
client's ``Authorization``, ``Cookie``, ``Origin``, ``Sec-Fetch-Site`` and ``X-Sirena-CSRF`` pass through.
"""

import re
from typing import Final

from fastapi import Request

from sirena.access.decision import RequestFacts
from sirena.access.errors import AmbiguousRequestError

_ONCE: Final = frozenset(
    {"authorization", "x-original-uri", "x-original-method", "x-forwarded-host", "x-real-ip", "host", "origin"}
)
_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHOD: Final = re.compile(r"[A-Z]{1,16}")


def read_facts(request: Request, *, asked_about: bool = False) -> RequestFacts:
    """Return the facts of a request.

    Args:
        request: the request as it arrived.
        asked_about: True if NGINX asks about another request, which the ``X-Original-*`` headers describe; False if the
            facts are those of the request itself.

    Raises:
        AmbiguousRequestError: a header that may occur once occurs twice, or method or target are missing.
    """
    headers: dict[str, str] = {}
    for key, value in request.scope["headers"]:
        name = key.decode("latin-1")
        if name in headers and name in _ONCE:
            raise AmbiguousRequestError(f"the header {name} stands twice")
        # cookies may be split into several headers by HTTP/2; they are one list
        joint = "; " if name == "cookie" else ", "
        headers[name] = (
            f"{headers[name]}{joint}{value.decode('latin-1')}" if name in headers else value.decode("latin-1")
        )
    if asked_about:
        method, target = headers.get("x-original-method", ""), headers.get("x-original-uri", "")
    else:
        raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
        query: bytes = request.scope["query_string"]
        method, target = request.method, (raw + b"?" + query if query else raw).decode("latin-1")
    if not _METHOD.fullmatch(method) or not target:
        raise AmbiguousRequestError("the entry did not say what is asked for")
    return RequestFacts(
        method=method,
        target=target,
        headers=headers,
        address=headers.get("x-real-ip", request.client.host if request.client else ""),
        request_id=read_request_id(headers.get("x-request-id", "")),
    )


def read_request_id(text: str) -> str:
    """Return a text if it is a well-formed request id; else an empty text."""
    return text if _ID.fullmatch(text) else ""
