"""Who may see the pages on one person's own machine: whoever has the printed address.

Every account of a machine can connect to its loopback addresses, and so can every page in a browser. Therefore:

- the printed address holds a key of 256 bits; the first visit exchanges it for a cookie, without which every request is
refused; - the host must be a loopback name, so that a foreign name that resolves to this machine (DNS rebinding) is
refused; - requests that change something must come from the pages themselves (``Sec-Fetch-Site``, ``Origin``).
"""

import re
import secrets
from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from sirena.web.answer_headers import with_headers
from sirena.web.unforeseen import answer_quietly
from sirena.web.visitor import LIVE, Visitor, let_in

COOKIE: Final = "sirena_pages"
ENTER: Final = "/enter/"
_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_PORT: Final = re.compile(r":\d+$")
_READING: Final = frozenset({"GET", "HEAD"})
_FORBIDDEN: Final = 403
_BY_THE_ADDRESS: Final = """\
Open the address that `sirena open` or `sirena up` printed.
Abra la dirección que mostró `sirena open` o `sirena up`.
"""


class OwnMachineOnly:
    """Guard of the pages of one's own machine: only requests with the key pass."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        """Wrap the application of the pages.

        Args:
            app: application to guard.
            key: key in the printed address.
        """
        self._app = app
        self._key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on to the pages, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        path = scope["path"]
        if not _is_own_host(headers):
            refusal = PlainTextResponse("This name is not this machine's own.", _FORBIDDEN)
            await refusal(scope, receive, with_headers(send))
        elif path == LIVE:
            await PlainTextResponse("alive")(scope, receive, with_headers(send))
        elif path.startswith(ENTER) and secrets.compare_digest(path.removeprefix(ENTER).encode(), self._key.encode()):
            response = RedirectResponse("/", 303)
            response.set_cookie(COOKIE, self._key, httponly=True, samesite="strict")
            await response(scope, receive, with_headers(send))
        elif not self._holds_key(headers) or not _is_from_pages(scope["method"], headers):
            await PlainTextResponse(_BY_THE_ADDRESS, _FORBIDDEN)(scope, receive, with_headers(send))
        else:
            let_in(scope, Visitor())
            await answer_quietly(self._app, scope, receive, with_headers(send))

    def _holds_key(self, headers: Mapping[str, str]) -> bool:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        return morsel is not None and secrets.compare_digest(morsel.value.encode(), self._key.encode())


def new_key() -> str:
    """Return a new random key that nobody can guess."""
    return secrets.token_urlsafe(32)


def _is_own_host(headers: Mapping[str, str]) -> bool:
    return _PORT.sub("", headers.get("host", "")) in _HOSTS


def _is_from_pages(method: str, headers: Mapping[str, str]) -> bool:
    if method in _READING:
        return True
    origin = headers.get("origin", "")
    return headers.get("sec-fetch-site", "same-origin") == "same-origin" and origin == f"http://{headers.get('host')}"
