"""The credential by which a request proves who sent it; a request has at most one credential."""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from sirena.access.errors import NotSignedInError

SESSION_COOKIE: Final = "__Host-sirena"
"""Cookie of the session. By its prefix `__Host-` browsers require TLS, the path `/` and this very host."""
_LONGEST: Final = 4096
_FORMS: Final = "send `Authorization: Bearer TOKEN`, or a name and a password by basic authentication"


@dataclass(frozen=True)
class Password:
    """Name and password of HTTP basic authentication."""

    name: str
    password: str


@dataclass(frozen=True)
class Bearer:
    """A token sent in the `Authorization` header."""

    token: str


@dataclass(frozen=True)
class SessionCookie:
    """The value of a browser's session cookie."""

    value: str


Credential = Password | Bearer | SessionCookie


def read_credential(authorization: str, cookie: str) -> Credential | None:
    """Return the credential of a request; None if the request has no credential.

    Cookies are ignored if there is an ``Authorization`` header: a wrong header is refused even if the cookie is valid.

    Args:
        authorization: the header's value, empty if there is no such header.
        cookie: the cookie header's value, empty if there is no such header.

    Raises:
        NotSignedInError: the header cannot be read.
    """
    if authorization:
        return _from_header(authorization)
    value = read_cookie(cookie, SESSION_COOKIE)
    return SessionCookie(value) if value else None


def read_cookie(header: str, name: str) -> str:
    """Return the value of one of Sirena's cookies; empty if there is none, or more than one.

    Cookies belong to a host and not to a port, so the header also holds cookies of other programs, with spaces,
    quotation marks or JSON at which libraries fail. A name must match to the letter: libraries also strip characters
    other than blanks, and by such a name a page of another host in the domain could plant a cookie here.

    Args:
        header: the cookie header's value.
        name: name of the cookie.
    """
    pairs = (pair.partition("=") for pair in header.split(";"))
    values = [value.strip(" \t") for key, _, value in pairs if key.strip(" \t") == name]
    return values[0] if len(values) == 1 else ""


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
