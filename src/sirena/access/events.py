"""What the access service tells the audit ledger, by name."""

from collections.abc import Callable, Mapping
from typing import Any, Final

Notify = Callable[[str, Mapping[str, Any]], None]
"""Receives an event's name and facts (who, origin, request_id, cause …); never a password, a token or a body."""

EVENTS: Final[Mapping[str, str]] = {
    "login": "somebody signed in with a password (method)",
    "login_failed": "a password was wrong, or not tried because of a lock (method, cause)",
    "logout": "somebody signed out",
    "refusal": "a request was refused: no identity, no right, or no clear reading (action, resource)",
    "downloaded": "files of a model were let out; told once an hour for each account and model (resource)",
    "promoted": "a stage is given through MLflow's own interface (model, version, stage, act, outcome)",
    "promotion_refused": "the gate refused a stage asked for in that way (model, version, stage, act)",
    "account_created": "an account was made (account, role)",
    "account_changed": "an account was disabled, or takes no passwords for a while (account, change)",
    "token_created": "a token was made (token, owner, scopes, expires)",
    "token_revoked": "a token was revoked (token, owner)",
}
"""Every event of this package with its meaning; all have who, origin and, of a request, request_id."""


def tell_nobody(event: str, facts: Mapping[str, Any]) -> None:
    """Drop an event; for callers that keep no ledger."""
