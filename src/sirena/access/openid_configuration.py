"""The configuration of single sign-on: the provider, Sirena's registration there, and the roles of each group."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from sirena.access.actions import Role
from sirena.domain.errors import UsageError

CALLBACK: Final = "/auth/openid/callback"
"""Path of Sirena to which the provider sends browsers back."""


class GroupRolesError(UsageError):
    """`SIRENA_OIDC_ROLES` cannot be read."""

    code = "group_roles"


@dataclass(frozen=True)
class OpenIdConfiguration:
    """An OpenID provider, Sirena's registration there, and the roles of its groups."""

    issuer: str
    """The provider's own URL for itself, to the letter."""
    client_id: str
    group_roles: Mapping[str, frozenset[Role]]
    """Roles by the provider's name for a group; any other group has no roles."""
    entry_url: str
    """Address at which browsers reach Sirena, without a path: ``https://sirena.hospital.example``."""
    client_secret: Callable[[], str] = lambda: ""
    """Returns the secret of Sirena's registration; empty for a public client, which PKCE alone protects. It is called
    at each sign-in, because providers let secrets expire and a new one must not need a restart.
    """
    scopes: str = "openid profile email"
    name_claim: str = "preferred_username"
    groups_claim: str = "groups"
    """Claim that holds the groups; a dot leads into a nested claim: ``realm_access.roles``."""
    label: str = ""

    @property
    def callback_url(self) -> str:
        """URL to which the provider sends browsers back; it must be registered at the provider."""
        return self.entry_url + CALLBACK

    @property
    def after_logout_url(self) -> str:
        """URL to which the provider sends browsers after signing out; it must be registered at the provider."""
        return f"{self.entry_url}/auth/login"

    @property
    def shown_label(self) -> str:
        """Name of the provider on the sign-in page."""
        return self.label or urlsplit(self.issuer).netloc


def read_group_roles(text: str) -> dict[str, frozenset[Role]]:
    """Return the roles of each group, read from the text of a setting.

    Args:
        text: ``group=role,role; group=role``. The last ``=`` of a pair separates group and roles, so that a group may
            be called ``CN=PROA,OU=Groups``, as in a directory; only ``;`` cannot be part of a group's name.

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
