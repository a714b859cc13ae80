"""What single sign-on needs to know: which provider, who we are there, and which group holds which role."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from sirena.access.actions import Role
from sirena.domain.errors import UsageError

CALLBACK: Final = "/auth/openid/callback"
"""Path to which the provider sends browsers back."""


class GroupRolesError(UsageError):
    """`SIRENA_OIDC_ROLES` cannot be read."""

    code = "group_roles"


@dataclass(frozen=True)
class OpenIdConfiguration:
    """An OpenID provider, and what its word counts for here."""

    issuer: str
    """URL by which the provider calls itself, to the letter."""
    client_id: str
    group_roles: Mapping[str, frozenset[Role]]
    """Roles by the provider's name of a group; a group that is not here holds none."""
    entry_url: str
    """Where browsers reach Sirena, ``https://sirena.hospital.example``, without a path."""
    client_secret: Callable[[], str] = lambda: ""
    """Gives the secret of our registration; empty for a public client, which PKCE alone protects. Asked at each
    sign-in, because providers let secrets expire and a new one must not need a restart."""
    scopes: str = "openid profile email"
    name_claim: str = "preferred_username"
    groups_claim: str = "groups"
    """Claim of the groups; dots lead into nested claims, ``realm_access.roles``."""
    label: str = ""

    @property
    def callback_url(self) -> str:
        """Where the provider sends browsers back to; it is registered there."""
        return self.entry_url + CALLBACK

    @property
    def after_logout_url(self) -> str:
        """Where the provider sends browsers after signing out there; registered too."""
        return f"{self.entry_url}/auth/login"

    @property
    def shown_label(self) -> str:
        """What the sign-in page calls the provider."""
        return self.label or urlsplit(self.issuer).netloc


def read_group_roles(text: str) -> dict[str, frozenset[Role]]:
    """Read which group holds which roles.

    Args:
        text: ``group=role,role; group=role``. The last ``=`` of a pair divides, so that a group may be a directory's
            name such as ``CN=PROA,OU=Groups``; only ``;`` cannot stand in one.

    Raises:
        GroupRolesError: a pair has no group or no role, or names a role that does not exist.
    """
    roles_of_group: dict[str, frozenset[Role]] = {}
    for number, pair in enumerate((part for part in text.split(";") if part.strip()), start=1):
        group, _, roles = (word.strip() for word in pair.rpartition("="))
        names = [name.strip() for name in roles.split(",") if name.strip()]
        if not group or not names or not set(names) <= set(Role):
            raise GroupRolesError(
                f"SIRENA_OIDC_ROLES, pair {number}: group=role expected",
                hint=f"roles: {', '.join(Role)}; pairs are divided by ';', several roles by ','",
            )
        roles_of_group[group] = roles_of_group.get(group, frozenset()) | frozenset(Role(name) for name in names)
    return roles_of_group
