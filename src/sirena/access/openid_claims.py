"""Reading from an OpenID provider's claims who a person is and which roles they have; nothing unverified is used.

- **Identity*: issuer and subject together, the only claims that a provider may not give to another person later.
- *The account's name*: the configured claim; if that is missing, the e-mail address, if the provider says that it is
  verified; else the subject. The name is for people to read and proves nothing.
- *Roles*: those of all groups named in `SIRENA_OIDC_ROLES`. An e-mail address counts as a group only when verified.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sirena.access.actions import Role
from sirena.access.openid_configuration import OpenIdConfiguration

_UNUSABLE: Final = re.compile(r"[^a-z0-9._@-]+")
_LONGEST_NAME: Final = 64
_LONGEST_SUBJECT: Final = 255
"""OpenID Connect Core 1.0, section 2: a subject has at most 255 ASCII characters."""


@dataclass(frozen=True)
class ExternalPerson:
    """A person who signed in at an OpenID provider."""

    issuer: str
    subject: str
    name: str
    """Name that the person's account would have; empty when no claim can serve as one."""
    roles: frozenset[Role]


def read_person(claims: Mapping[str, Any], configuration: OpenIdConfiguration) -> ExternalPerson | None:
    """Return the person whom the claims of a verified ID token describe; None if the subject is malformed."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not is_subject(subject):
        return None
    return ExternalPerson(
        configuration.issuer, subject, _name(claims, configuration.name_claim, subject), _roles(claims, configuration)
    )


def is_subject(text: str) -> bool:
    """Tell whether a text is well-formed as a subject, a provider's own name for a person."""
    return text.isascii() and text.isprintable() and 0 < len(text) <= _LONGEST_SUBJECT


def says_enough(claims: Mapping[str, Any], configuration: OpenIdConfiguration) -> bool:
    """Tell whether claims hold both name and groups; if not, the caller reads more from the userinfo endpoint."""
    return all(_at(claims, path) is not None for path in (configuration.name_claim, configuration.groups_claim))


def _name(claims: Mapping[str, Any], claim: str, subject: str) -> str:
    email = claims.get("email") if claims.get("email_verified") is True else None
    claimed_name = _at(claims, claim) if claim != "email" else email
    for candidate in (claimed_name, email, subject):
        if isinstance(candidate, str) and (name := _as_account_name(candidate)):
            return name
    return ""


def _as_account_name(text: str) -> str:
    """Return the account name nearest to a text: lower case, without accents, ``-`` for other characters."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower().strip()
    return _UNUSABLE.sub("-", plain)[:_LONGEST_NAME].strip("._@-")


def _roles(claims: Mapping[str, Any], configuration: OpenIdConfiguration) -> frozenset[Role]:
    if configuration.groups_claim == "email" and claims.get("email_verified") is not True:
        return frozenset()
    value = _at(claims, configuration.groups_claim)
    groups = value if isinstance(value, list) else [value]
    role_sets = [configuration.group_roles.get(group, frozenset()) for group in groups if isinstance(group, str)]
    return frozenset().union(*role_sets)


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """Return a claim by its name; ``a.b`` is claim ``b`` inside claim ``a``, unless there is a claim named ``a.b``."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
