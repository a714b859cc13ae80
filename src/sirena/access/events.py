"""How the access service puts on record what happened: it emits the events of `ledger.catalogue`."""

from collections.abc import Callable
from typing import TypedDict

from sirena.ledger.catalogue import Activated, Promoted, RolledBack
from sirena.ledger.event import Event

Notify = Callable[[Event], None]
"""Puts an event on record; never gets a password, a token or a body."""
StageEvent = Promoted | Activated | RolledBack
"""What giving a stage is: a release in production is the one that answers."""


class RequestOrigin(TypedDict):
    """Where a request came from: two fields of every event."""

    origin: str
    """Address of the client."""
    request_id: str


class ActOrigin(RequestOrigin):
    """Who acts, from where, and in which act: what all events of one act share."""

    who: str
    act: str


def tell_nobody(event: Event) -> None:
    """Drop an event; for callers that keep no ledger."""
