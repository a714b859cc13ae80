"""Types by which the access service records events of `ledger.catalogue` in the ledger."""

from collections.abc import Callable
from typing import TypedDict

from sirena.ledger.catalogue import Activated, Promoted, RolledBack
from sirena.ledger.event import Event

Notify = Callable[[Event], None]
"""Records an event; no password, token or body is ever passed to it."""
StageEvent = Promoted | Activated | RolledBack
"""Events of giving a version a stage. For a release, the stage Production means that it answers."""


class RequestOrigin(TypedDict):
    """Where a request came from, as two fields of every event."""

    origin: str
    """Address of the client."""
    request_id: str


class ActOrigin(RequestOrigin):
    """Who acts, from where, and in which act, as fields that all events of one act share."""

    who: str
    act: str


def tell_nobody(event: Event) -> None:
    """Do nothing with an event; for callers that keep no ledger."""
