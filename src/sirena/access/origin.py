"""Cross-site requests: a browser must not be made to act for whoever is signed in with it.

What changes nothing (GET, HEAD) needs no proof. For everything else:

- a session's request comes from a page of this very origin (``Origin``, or ``Sec-Fetch-Site: same-origin`` where a
  browser leaves it out) or carries the session's CSRF token;
- a password in the header may be one the browser adds by itself, so an ``Origin`` of elsewhere refuses that too;
- a token is added by a program on purpose and needs nothing more.
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
    """What a browser says about the page a request comes from."""

    host: str
    """Host and port the client spoke to; the port may be left out when it is 443."""
    origin: str = ""
    fetch_site: str = ""
    csrf_token: str = ""


def require_same_origin(method: str, identity: Identity, page: PageOfOrigin) -> None:
    """Refuse what another site makes a browser do.

    Raises:
        CrossSiteError: the request comes from elsewhere, or a session's request does not show where from.
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
