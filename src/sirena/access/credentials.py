"""What a request shows to prove who sent it: one credential, never a choice of two."""

import base64
import binascii
from dataclasses import dataclass
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

    Cookies are not looked at beside an ``Authorization`` header: a wrong header is refused even with a good cookie.

    Args:
        authorization: the header's value, empty if absent.
        cookie: the cookie header's value, empty if absent.

    Raises:
        NotSignedInError: the header cannot be read.
    """
    if authorization:
        return _from_header(authorization)
    value = read_cookie(cookie, SESSION_COOKIE)
    return SessionCookie(value) if value else None


def read_cookie(header: str, name: str) -> str:
    """Return the value of one of our cookies; empty where there is none, or more than one.

    Cookies know no ports: the host's other programs have theirs in the same header, with spaces, quotation marks or
    JSON in them, which libraries stumble over. Nor is a name that only looks like ours taken for it: libraries strip
    more than blanks, and then a page of another host in the same domain could plant one that no prefix protects.

    Args:
        header: the cookie header's value.
        name: of the cookie, to the letter.
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
