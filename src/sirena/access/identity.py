"""Who sent a request, and how that was proved."""

import enum
from dataclasses import dataclass

from sirena.access.actions import Action, Role
from sirena.access.policy import Policy


class Means(enum.StrEnum):
    """How the sender of a request proved who they are."""

    PASSWORD = "password"  # noqa: S105 - a name, not a password
    TOKEN = "token"  # noqa: S105 - a name, not a token
    SESSION = "session"
    NONE = "none"


@dataclass(frozen=True)
class Identity:
    """The account that sent a request, with its roles."""

    name: str
    roles: frozenset[Role]
    means: Means
    scopes: frozenset[Action] = frozenset()
    """Actions a token is narrowed to; empty means no narrowing."""
    csrf_sha256: str = ""
    """Hash of the session's CSRF token; empty without a session."""
    session: str = ""
    """Name of the session, which is no credential; empty without a session."""
    confirmed: bool = True
    """False when this was remembered from some seconds ago, because the database of accounts does not answer."""

    def may(self, policy: Policy, action: Action, model: str | None = None) -> bool:
        """Tell whether the policy allows an action, and the token's scopes allow it too."""
        if self.scopes and action not in self.scopes and action is not Action.OWN_SESSION:
            return False
        return policy.permits(self.roles, action, model)


NOBODY = Identity("", frozenset(), Means.NONE)
"""The sender of a request without a credential, who may do what is public."""
