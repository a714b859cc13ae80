"""How the access service tells the audit ledger what happened; `ledger.catalogue` lists the events and their facts."""

from collections.abc import Callable, Mapping
from typing import Any

Notify = Callable[[str, Mapping[str, Any]], None]
"""Receives an event's name and facts (who, origin, request_id, cause …); never a password, a token or a body."""


def tell_nobody(event: str, facts: Mapping[str, Any]) -> None:
    """Drop an event; for callers that keep no ledger."""
