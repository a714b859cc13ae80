"""What a request shows to prove who sent it: one credential, never a choice of two."""

import base64
import binascii
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Final

from sirena.access.errors import NotSignedInError

SESSION_COOKIE: Final = "__Host-sirena"
"""The prefix makes browsers insist on Secure, on the whole path and on no other domain."""
_LONGEST: Final = 4096
_FORMS: Final = "send `Authorization: Bearer TOKEN`, or a name and a password by basic authentication"


@dataclass(frozen=True)
class Password:
    """Name and password of HTTP basic authentication."""

    name: str
    password: str


@dataclass(frozen=True)
class Bearer:
    """A token."""

    token: str


@dataclass(frozen=True)
class SessionCookie:
    """A browser's session."""

    value: str


Credential = Password | Bearer | SessionCookie


def read_credential(authorization: str, cookie: str) -> Credential | None:
    """Return the credential of a request, or None if it shows none.

    An ``Authorization`` header counts alone: one that does not hold is refused, and never made good by a cookie.

    Args:
        authorization: the header's value, empty if absent.
        cookie: the cookie header's value, empty if absent.

    Raises:
        NotSignedInError: the header cannot be read.
    """
    if authorization:
        return _from_header(authorization)
    value = _session_of(cookie)
    return SessionCookie(value) if value else None


def _from_header(header: str) -> Credential:
    scheme, _, rest = header.partition(" ")
    rest = rest.strip()
    if len(rest) > _LONGEST or not rest:
        raise _unreadable()
    if scheme.lower() == "bearer":
        return Bearer(rest)
    if scheme.lower() == "basic":
        try:
            name, colon, password = base64.b64decode(rest, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise _unreadable() from error
        if colon:
            return Password(name, password)
    raise _unreadable()


def _unreadable() -> NotSignedInError:
    refusal = NotSignedInError("the credential cannot be read", hint=_FORMS)
    refusal.cause = "credential_unreadable"
    return refusal


def _session_of(header: str) -> str:
    if SESSION_COOKIE not in header or header.count(f"{SESSION_COOKIE}=") != 1:
        return ""
    try:
        cookies = SimpleCookie(header)
    except CookieError:
        return ""
    return cookies[SESSION_COOKIE].value if SESSION_COOKIE in cookies else ""
