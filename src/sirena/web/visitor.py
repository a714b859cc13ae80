"""Who looks at the pages, as far as the pages must know it."""

from dataclasses import dataclass, field
from typing import Final

from fastapi import Request
from starlette.types import Scope

_KEY: Final = "sirena_visitor"
LIVE: Final = "/livez"
"""Says to anybody that the pages are there."""
SESSION: Final = "session "
"""With what the owner of a session's files begins."""


@dataclass(frozen=True)
class Visitor:
    """Somebody who was let in."""

    owner: str = ""
    """Whose files these are: a session, or a person who comes without one; empty on one's own machine."""
    name: str = ""
    """Account; empty on one's own machine, where there is none."""
    origin: str = ""
    """Address."""
    request_id: str = ""
    places: frozenset[str] = field(default_factory=frozenset)
    """Where the person may go: ``pages``, ``files``, ``rows`` to take, ``counts``, ``isolate``, ``models``,
    ``evidence`` of one; the stages they may give: ``staging``, ``production``; ``make_release``, ``edit_rules``,
    ``approve_rules``."""

    def may(self, place: str) -> bool:
        """Tell whether a way is to be shown; on one's own machine all of the pages' are."""
        return not self.name or place in self.places

    @property
    def record(self) -> dict[str, str]:
        """What every event of the request says."""
        return {"who": self.name, "origin": self.origin, "request_id": self.request_id}


def let_in(scope: Scope, visitor: Visitor) -> None:
    """Note who came, for whatever answers the request."""
    scope[_KEY] = visitor


def visitor_of(request: Request) -> Visitor:
    """Return who sent a request.

    Raises:
        KeyError: no guard let anybody in, which is a fault of ours.
    """
    visitor: Visitor = request.scope[_KEY]
    return visitor
