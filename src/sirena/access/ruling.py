"""What the gate decided of a change of stage, and how that gets on record."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sirena.ledger.catalogue import Overridden
from sirena.ledger.event import Event


@dataclass(frozen=True)
class Ruling:
    """What the gate decided: the event for the ledger, and what writes the decision into the registry."""

    event: Event
    """What is about to be done, with what was judged."""
    override: Overridden | None = None
    """The entry of an override; None when the gate agreed."""
    announce: Callable[[], Any] = lambda: None
    """Puts on record what is about to be done."""
    confirm: Callable[[], Any] = lambda: None
    """Puts on record that it was done."""
