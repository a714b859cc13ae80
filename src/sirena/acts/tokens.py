"""Making and revoking tokens, recorded in the ledger."""

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
    """Make a token, and return it with its secret text; Sirena keeps only a hash of that.

    Args:
        settings: settings that name the ledger.
        store: database of accounts.
        account: owner of the token.
        name: purpose of the token.
        days: how long the token is valid.
        scopes: actions that the token is limited to; empty means all that its owner may do.
    """
    with recorded(settings, TokenCreated, token="", owner=account, scopes=tuple(sorted(scopes))) as act:
        token, secret = Tokens(store).create(account, name=name, days=days, scopes=scopes)
        act.learn(token=token.id, expires=datetime.fromtimestamp(token.expires, UTC).strftime("%Y-%m-%d"))
    return token, secret


def revoke_token(settings: Settings, store: Engine, identifier: str) -> Token:
    """Revoke a token by its id; within seconds it is refused everywhere."""
    with recorded(settings, TokenRevoked, token=identifier, owner="") as act:
        token = Tokens(store).revoke(identifier)
        act.learn(owner=token.account)
    return token
