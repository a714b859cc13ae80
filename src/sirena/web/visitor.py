"""The visitor of the pages: the sender of a request, with the facts that the pages need."""

from dataclasses import dataclass, field
from typing import Final

from fastapi import Request
from starlette.types import Scope

_KEY: Final = "sirena_visitor"
LIVE: Final = "/livez"
"""Path that tells anybody that the pages are running."""
SESSION: Final = "session "
"""Prefix of the owner of a session's files."""


@dataclass(frozen=True)
class Visitor:
    """The person who sent a request to the pages."""

    owner: str = ""
    """Owner of this visitor's files: a session, or a person without one; empty on one's own machine."""
    name: str = ""
    """Account; empty on one's own machine, where there are no accounts."""
    origin: str = ""
    """Client address of the request."""
    request_id: str = ""
    places: frozenset[str] = field(default_factory=frozenset)
    """What the person may use: ``pages``, ``files``, ``rows`` (downloading them), ``counts``, ``isolate``, ``models``,
    ``evidence`` (of a model); stages they may give: ``staging``, ``production``; ``make_release``, ``edit_rules``,
    ``approve_rules``.
    """

    def may(self, place: str) -> bool:
        """Tell whether the person may use a part of the pages; on their own machine they may use all."""
        return not self.name or place in self.places

    @property
    def record(self) -> dict[str, str]:
        """The fields that all events of the request share."""
        return {"who": self.name, "origin": self.origin, "request_id": self.request_id}


def let_in(scope: Scope, visitor: Visitor) -> None:
    """Store the visitor in the scope of the request, where `visitor_of` finds them."""
    scope[_KEY] = visitor


def visitor_of(request: Request) -> Visitor:
    """Return the visitor who sent a request.

    Raises:
        KeyError: no guard stored a visitor, which is a fault in Sirena's code.
    """
    visitor: Visitor = request.scope[_KEY]
    return visitor
