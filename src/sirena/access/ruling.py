"""The gate's decision on a change of stage, and how it is recorded."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sirena.ledger.catalogue import Overridden
from sirena.ledger.event import Event


@dataclass(frozen=True)
class Ruling:
    """The gate's decision on a change: the event for the ledger, and functions that write it into the registry."""

    event: Event
    """The change, with facts of what was judged."""
    override: Overridden | None = None
    """Event of an override; None if the gate agreed."""
    announce: Callable[[], Any] = lambda: None
    """Records in the registry what is about to be done."""
    confirm: Callable[[], Any] = lambda: None
    """Records in the registry that it was done."""
