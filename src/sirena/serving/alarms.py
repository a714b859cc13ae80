"""What a source of panels found that is not what was judged; the panel in use goes on answering."""

from dataclasses import dataclass
from typing import Final

STORES: Final = ("alias", "row", "artifact", "cache", "ledger")
"""Where it may be found; the metric's labels."""


@dataclass(frozen=True)
class SourceAlarm:
    """One thing that is otherwise than it was judged."""

    store: str
    """One of `STORES`."""
    text: str
    """For people: release, file or tag, never a value of a request."""
