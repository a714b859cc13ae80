"""Refusing cross-site requests: a page of another site must not act in the name of the person signed in.

Requests that change nothing (GET, HEAD) need no proof. For all others:

- a request with a session cookie comes from a page of this origin (``Origin``, or ``Sec-Fetch-Site: same-origin`` where
  a browser leaves out ``Origin``), or carries the session's CSRF token;
- a password in the header may have been added by the browser itself, so a foreign ``Origin`` is refused for passwords
  too;
- a token is added by a program on purpose and needs no further proof.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from sirena.access.errors import CrossSiteError
from sirena.access.identity import Identity, Means
from sirena.access.secrets_issued import digest

_SAFE: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class PageOfOrigin:
    """The headers by which a browser describes the page that sent a request."""

    host: str
    """Host and port the client connected to; the port may be left out when it is 443."""
    origin: str = ""
    fetch_site: str = ""
    csrf_token: str = ""


def require_same_origin(method: str, identity: Identity, page: PageOfOrigin) -> None:
    """Check that a request does not come from a page of another site, or raise `CrossSiteError`.

    Raises:
        CrossSiteError: the request comes from another site, or has a session and does not show where it comes from.
    """
    if method in _SAFE or identity.means in (Means.TOKEN, Means.NONE):
        return
    if page.origin:
        # everything behind the entry is TLS; an http page of the same name is somebody else's
        if page.host and _plain(page.origin) == _plain(f"https://{page.host}"):
            return
    elif page.fetch_site == "same-origin" or (identity.means is Means.PASSWORD and page.fetch_site in ("", "none")):
        return
    if identity.csrf_sha256 and page.csrf_token and hmac.compare_digest(identity.csrf_sha256, digest(page.csrf_token)):
        return
    raise CrossSiteError("the request comes from another site", hint="send the X-Sirena-CSRF token of your session")


def _plain(origin: str) -> str:
    return origin.lower().removesuffix(":443")
