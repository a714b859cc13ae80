"""What the sign-in pages share: headers against foreign content and frames, cookies, and redirection to a page."""

import secrets
from functools import cache
from typing import Final

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from sirena.access.credentials import SESSION_COOKIE
from sirena.access.errors import AmbiguousRequestError
from sirena.access.languages import LANGUAGE_COOKIE, chosen_now, language_of
from sirena.access.paths import read_target

CSRF_COOKIE: Final = "__Host-sirena_csrf"
"""Cookie with the session's CSRF token, which scripts of Sirena's pages can read; it is no credential."""
HEADERS: Final = {"Cache-Control": "no-store", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"}
_YEAR: Final = 366 * 86_400
"""Seconds."""


def page(request: Request, template: str, *, status: int = 200, **values: object) -> Response:
    """Return a page without scripts, foreign content or frames, in the language of the request.

    Args:
        request: the request to answer.
        template: name of the template, which can call ``say(spanish, english)``.
        status: HTTP status.
        values: further values for the template.
    """
    nonce, language = secrets.token_urlsafe(16), language_of(request)
    text = _environment().get_template(template).render(nonce=nonce, language=language, say=language.says, **values)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )
    headers = {**HEADERS, "Content-Security-Policy": policy}
    response = Response(text, status_code=status, media_type="text/html", headers=headers)
    if chosen_now(request) is not None:
        set_cookie(response, LANGUAGE_COOKIE, language, _YEAR, hidden=True)
    return response


def let_in(target: str, session: tuple[str, str], seconds: int) -> Response:
    """Return the response that starts a session in the browser and redirects it to a page of Sirena.

    Args:
        target: path of the page.
        session: value of the session cookie, and CSRF token.
        seconds: how long the browser keeps both cookies.
    """
    response = Response(status_code=303, headers={"Location": target, **HEADERS})
    set_cookie(response, SESSION_COOKIE, session[0], seconds, hidden=True)
    set_cookie(response, CSRF_COOKIE, session[1], seconds, hidden=False)
    return response


def set_cookie(response: Response, name: str, value: str, seconds: int, *, hidden: bool) -> None:
    """Set a cookie that is sent to this host alone; if `hidden`, no script can read it."""
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=hidden, samesite="lax")


def drop_cookie(response: Response, name: str, *, hidden: bool = True) -> None:
    """Make the browser delete a cookie."""
    response.delete_cookie(name, secure=True, httponly=hidden, samesite="lax")


def local_target(target: str) -> str:
    """Return a path if it is a path on this server, else ``/``: signing in must not lead to another site."""
    try:
        read_target(target)
    except AmbiguousRequestError:
        return "/"
    return target


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("sirena.access"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(default=True, default_for_string=True),
    )
