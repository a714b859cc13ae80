"""Bearer tokens: limited in scope and time, revocable, shown once."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Engine, Row, insert, select, update

from sirena.access.accounts import Account, Accounts, account_of
from sirena.access.actions import Action
from sirena.access.errors import AccountError
from sirena.access.secrets_issued import TOKEN_PREFIX, digest, new_token
from sirena.access.store import ACCOUNTS, TOKENS

DAY: Final = 86_400.0
LONGEST_DAYS: Final = 366
_USE_NOTED_EVERY: Final = 60.0
"""Seconds between two writes of a token's last use; a write for each request would cost more than the decision."""


@dataclass(frozen=True)
class Token:
    """A token without its secret, as it is kept in the database."""

    id: str
    """Public id, by which the token is listed and revoked."""
    account: str
    name: str
    """Purpose, in the words of the owner."""
    scopes: frozenset[Action]
    """Actions that the token is limited to; empty means all that its owner may do."""
    created: float
    expires: float
    revoked: float | None
    last_used: float | None

    def holds(self, now: float) -> bool:
        """Tell whether the token is valid at a moment."""
        return self.revoked is None and now < self.expires


class Tokens:
    """Makes, finds and revokes the tokens in the database."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def create(
        self, account: str, *, name: str = "", days: float = 30.0, scopes: frozenset[Action] = frozenset()
    ) -> tuple[Token, str]:
        """Make a token for an account.

        Args:
            account: owner of the token.
            name: purpose of the token.
            days: how long the token is valid, at most `LONGEST_DAYS`.
            scopes: actions that the token is limited to; empty means all that its owner may do.

        Returns:
            The token as it is kept, and the secret text to hand over, which is not kept.

        Raises:
            AccountError: the owner does not exist or is disabled, or `days` is out of range.
        """
        if Accounts(self._engine).find(account).disabled:
            raise AccountError(f"the account {account} is disabled")
        if not 0 < days <= LONGEST_DAYS:
            raise AccountError(f"a token holds for more than 0 and at most {LONGEST_DAYS} days")
        public, secret = new_token()
        now = self._clock()
        token = Token(public, account, name, scopes, now, now + days * DAY, None, None)
        with self._engine.begin() as connection:
            connection.execute(
                insert(TOKENS).values(
                    id=token.id,
                    account=token.account,
                    name=token.name[:128],
                    secret_sha256=digest(secret),
                    scopes=",".join(sorted(token.scopes)),
                    created=token.created,
                    expires=token.expires,
                )
            )
        return token, secret

    def resolve(self, secret: str) -> tuple[Token, Account] | None:
        """Return the token with this secret, and its owner; None if there is no such token, or it is not valid now."""
        now = self._clock()
        query = (
            select(TOKENS, ACCOUNTS.c.name.label("owner"))
            .join(ACCOUNTS, ACCOUNTS.c.name == TOKENS.c.account)
            .where(TOKENS.c.secret_sha256 == digest(secret))
        )
        with self._engine.begin() as connection:
            row = connection.execute(query).one_or_none()
            if row is None:
                return None
            token = token_of(row)
            owner = account_of(connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.name == token.account)).one())
            if not token.holds(now) or owner.disabled:
                return None
            if now - (token.last_used or 0.0) > _USE_NOTED_EVERY:
                connection.execute(update(TOKENS).where(TOKENS.c.id == token.id).values(last_used=now))
        return token, owner

    def why_not(self, secret: str) -> tuple[str, str]:
        """Return, for the ledger, the owner of an invalid token and the cause (see `sirena.ledger.causes`)."""
        if not secret.startswith(TOKEN_PREFIX):
            return "", "foreign"
        with self._engine.connect() as connection:
            row = connection.execute(select(TOKENS).where(TOKENS.c.secret_sha256 == digest(secret))).one_or_none()
        if row is None:
            return "", "unknown"
        token = token_of(row)
        if token.revoked is not None:
            return token.account, "revoked"
        return token.account, "disabled" if token.holds(self._clock()) else "expired"

    def of(self, account: str | None = None) -> list[Token]:
        """Return the tokens of an account, or of all accounts for None, oldest first."""
        query = select(TOKENS).order_by(TOKENS.c.created)
        if account is not None:
            query = query.where(TOKENS.c.account == account)
        with self._engine.connect() as connection:
            return [token_of(row) for row in connection.execute(query)]

    def revoke(self, identifier: str) -> Token:
        """Revoke a token by its id; repeating it changes nothing.

        Raises:
            AccountError: no token has this id.
        """
        with self._engine.begin() as connection:
            row = connection.execute(select(TOKENS).where(TOKENS.c.id == identifier)).one_or_none()
            if row is None:
                raise AccountError("there is no token of this id", hint="sirena token list; give the id, not the token")
            if row.revoked is None:
                connection.execute(update(TOKENS).where(TOKENS.c.id == identifier).values(revoked=self._clock()))
        return next(token for token in self.of() if token.id == identifier)


def token_of(row: Row[Any]) -> Token:
    """Convert a row of the table of tokens to a token."""
    scopes = frozenset(Action(scope) for scope in row.scopes.split(",") if scope)
    return Token(row.id, row.account, row.name, scopes, row.created, row.expires, row.revoked, row.last_used)
