"""Sessions of browsers, by a random cookie; a session ends by signing out, by time, or when the account is disabled."""

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine, insert, select, update

from sirena.access.accounts import Account, account_of
from sirena.access.secrets_issued import digest, new_secret
from sirena.access.store import ACCOUNTS, SESSIONS


@dataclass(frozen=True)
class Session:
    """A session: the time during which an account is signed in with one browser."""

    account: Account
    csrf_sha256: str
    expires: float
    """When the session ends by itself, seconds since 1970."""
    name: str
    """Name by which other parts know the session; it is no credential."""

    def carries(self, csrf_token: str) -> bool:
        """Tell whether a form or script holds this session's CSRF token."""
        return hmac.compare_digest(self.csrf_sha256, digest(csrf_token))


class Sessions:
    """Begins, finds and ends the sessions in the database."""

    def __init__(self, engine: Engine, *, hours: float, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._hours = hours
        self._clock = clock

    def begin(self, account: str) -> tuple[str, str]:
        """Begin a session of an account.

        Returns:
            The session cookie's value and the CSRF token, of which only hashes are kept.
        """
        cookie, csrf = new_secret(), new_secret()
        now = self._clock()
        with self._engine.begin() as connection:
            connection.execute(
                insert(SESSIONS).values(
                    secret_sha256=digest(cookie),
                    account=account,
                    csrf_sha256=digest(csrf),
                    created=now,
                    expires=now + self._hours * 3600,
                )
            )
        return cookie, csrf

    def resolve(self, cookie: str) -> Session | None:
        """Return the session of a cookie; None if the session has ended, or there is none."""
        query = select(SESSIONS).where(SESSIONS.c.secret_sha256 == digest(cookie))
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
            if row is None or row.revoked is not None or self._clock() >= row.expires:
                return None
            account = account_of(connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.name == row.account)).one())
        return None if account.disabled else Session(account, row.csrf_sha256, row.expires, _name(row.secret_sha256))

    def open_names(self) -> frozenset[str]:
        """Return the names of the currently open sessions."""
        usable_account = ACCOUNTS.c.name == SESSIONS.c.account, ACCOUNTS.c.disabled.is_(False)
        is_open = SESSIONS.c.revoked.is_(None), SESSIONS.c.expires > self._clock()
        with self._engine.connect() as connection:
            secrets = connection.execute(select(SESSIONS.c.secret_sha256).where(*usable_account, *is_open)).scalars()
            return frozenset(map(_name, secrets))

    def end(self, cookie: str) -> None:
        """End the session of a cookie; repeating it changes nothing."""
        valid_session = SESSIONS.c.secret_sha256 == digest(cookie), SESSIONS.c.revoked.is_(None)
        with self._engine.begin() as connection:
            connection.execute(update(SESSIONS).where(*valid_session).values(revoked=self._clock()))


def _name(secret_sha256: str) -> str:
    """Return the name of a session, from which neither its cookie nor the kept hash can be derived."""
    return digest(f"name of the session {secret_sha256}")
