"""Tokens made and revoked, on record."""

from datetime import UTC, datetime

from sqlalchemy import Engine

from sirena.access.actions import Action
from sirena.access.tokens import Token, Tokens
from sirena.acts.recording import recorded
from sirena.ledger.catalogue import TokenCreated, TokenRevoked
from sirena.settings.catalogue import Settings


def create_token(
    settings: Settings, store: Engine, account: str, *, name: str, days: float, scopes: frozenset[Action]
) -> tuple[Token, str]:
    """Make a token, and return it with its secret, of which only a hash is kept.

    Args:
        settings: which ledger.
        store: of accounts.
        account: the token acts as.
        name: what it is for.
        days: how long it holds.
        scopes: actions it is narrowed to; empty for all of the account.
    """
    with recorded(settings, TokenCreated, token="", owner=account, scopes=tuple(sorted(scopes))) as act:
        token, secret = Tokens(store).create(account, name=name, days=days, scopes=scopes)
        act.learn(token=token.id, expires=datetime.fromtimestamp(token.expires, UTC).strftime("%Y-%m-%d"))
    return token, secret


def revoke_token(settings: Settings, store: Engine, identifier: str) -> Token:
    """Revoke a token; it opens nothing within seconds."""
    with recorded(settings, TokenRevoked, token=identifier, owner="") as act:
        token = Tokens(store).revoke(identifier)
        act.learn(owner=token.account)
    return token
