"""What the access service tells the audit ledger, by name."""

from collections.abc import Callable, Mapping
from typing import Any, Final

Notify = Callable[[str, Mapping[str, Any]], None]
"""Receives an event's name and facts (who, origin, request_id, cause …); never a password, a token or a body."""

EVENTS: Final[Mapping[str, str]] = {
    "login": "somebody signed in with a password or at the provider (method)",
    "login_failed": "a password or token did not hold or was not tried, or single sign-on ended outside "
    "(method, cause)",
    "logout": "somebody signed out",
    "refusal": "a request was refused: no identity, no right, or no clear reading (action, resource, cause)",
    "registered": "a version was made through MLflow's own interface (model, version, label_source, digest, act)",
    "promoted": "a stage is given or taken away through MLflow's own interface (model, version, stage, act, outcome, "
    "evidence, gate, criteria, waived, previous)",
    "activated": "a release becomes the one that answers (model, version, stage, act, outcome, digest, previous)",
    "rolled_back": "the release before the active one becomes active again (model, version, stage, act, outcome)",
    "overridden": "a named person decided against the gate (act, subject, stage, reason, criteria)",
    "downloaded": "files of a model were let out; told once an hour for each account and model (resource)",
    "promotion_refused": "the gate refused a stage asked for in that way (model, version, stage, act)",
    "account_created": "an account was made (account, role)",
    "account_changed": "an account was disabled, locked for a while, or got other roles (account, change, role)",
    "token_created": "a token was made (token, owner, scopes, expires)",
    "token_revoked": "a token was revoked (token, owner)",
}
"""Every event of this package with its meaning; all have who, origin and, of a request, request_id."""


def tell_nobody(event: str, facts: Mapping[str, Any]) -> None:
    """Drop an event; for callers that keep no ledger."""
