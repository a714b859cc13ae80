"""Who is asking, and by what means."""

import enum
from dataclasses import dataclass

from sirena.access.actions import Action, Role
from sirena.access.policy import Policy


class Means(enum.StrEnum):
    """How somebody proved who they are."""

    PASSWORD = "password"  # noqa: S105 - a name, not a password
    TOKEN = "token"  # noqa: S105 - a name, not a token
    SESSION = "session"
    NONE = "none"


@dataclass(frozen=True)
class Identity:
    """Somebody the entry knows."""

    name: str
    roles: frozenset[Role]
    means: Means
    scopes: frozenset[Action] = frozenset()
    """Actions a token is narrowed to; empty means no narrowing."""
    csrf_sha256: str = ""
    """Hash of the session's CSRF token; empty without a session."""
    session: str = ""
    """Name of the session, by which nobody gets in; empty without one."""
    confirmed: bool = True
    """False while the accounts cannot be asked, and this is who it was some seconds ago."""

    def may(self, policy: Policy, action: Action, model: str | None = None) -> bool:
        """Tell whether the policy allows an action, and the scopes of the token too."""
        if self.scopes and action not in self.scopes and action is not Action.OWN_SESSION:
            return False
        return policy.permits(self.roles, action, model)


NOBODY = Identity("", frozenset(), Means.NONE)
"""Who has shown no credential; may do what is public."""
