"""What the gate decided of a change of stage, and how that gets on record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Ruling:
    """What the gate decided, and how the decision gets on the registry's own record."""

    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the ledger learns of it."""
    override: Mapping[str, Any] | None = None
    """What the ledger learns of an override; None when the gate agreed."""
    announce: Callable[[], Any] = lambda: None
    """Puts on record what is about to be done."""
    confirm: Callable[[], Any] = lambda: None
    """Puts on record that it was done."""
