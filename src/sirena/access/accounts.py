"""Accounts: making, listing, changing, disabling, and locking out whoever guesses.

After `FREE_ATTEMPTS` wrong passwords an account accepts none for 30 s, and twice as long after each further one, up to
15 minutes. Sessions and tokens stay valid meanwhile: a stranger who guesses must not be able to throw a clinician out.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from sirena.access.actions import Role
from sirena.access.errors import AccountError
from sirena.access.passwords import hash_password
from sirena.access.store import ACCOUNTS, EXTERNAL_IDENTITIES, SESSIONS, TOKENS

FREE_ATTEMPTS: Final = 5
_FIRST_LOCK: Final = 30.0
_LONGEST_LOCK: Final = 900.0
UNLOCKED: Final = {"failed_attempts": 0, "locked_until": 0.0}
"""Values of an account's columns that let its password be tried again: no failures counted, no lock."""
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9._@-]{0,62}[a-z0-9])?")


@dataclass(frozen=True)
class Account:
    """A person or a program that Sirena knows by a name."""

    name: str
    roles: frozenset[Role]
    password_hash: str | None
    """Hash by argon2id; None if nobody can sign in to the account with a password."""
    disabled: bool
    failed_attempts: int
    """Wrong passwords since the last right one."""
    locked_until: float
    """Time until which every password is refused, in seconds since 1970; 0 when the account is not locked."""
    created: float


class Accounts:
    """The accounts in the database."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def add(self, name: str, roles: frozenset[Role], password: str | None) -> Account:
        """Make an account.

        Args:
            name: lower-case letters, digits and ``.``, ``_``, ``@``, ``-``; it is written into every record.
            roles: roles of the account, at least one.
            password: None for an account that is used only with tokens or by single sign-on.

        Raises:
            AccountError: the name is taken or malformed, there is no role, or the password is too short.
        """
        if not is_account_name(name):
            raise AccountError(
                "an account name is 1 to 64 of a-z, 0-9, '.', '_', '@', '-', and begins and ends with a letter or digit"
            )
        if not roles:
            raise AccountError("an account has at least one role", hint=f"roles: {', '.join(Role)}")
        password_hash = hash_password(password) if password is not None else None
        values = account_row(name, roles, password_hash, self._clock())
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(ACCOUNTS).values(values))
        except IntegrityError as error:
            raise AccountError(f"there is an account {name} already") from error
        return self.find(name)

    def find(self, name: str) -> Account:
        """Return the account with a given name.

        Raises:
            AccountError: no account has this name.
        """
        account = self.get(name)
        if account is None:
            raise AccountError(f"there is no account {name!r}", hint="sirena user list")
        return account

    def get(self, name: str) -> Account | None:
        """Return the account with a given name; None if there is none."""
        if not is_account_name(name):
            # nor is the database asked: PostgreSQL takes no zero byte, and its complaint is none of the caller's
            return None
        with self._engine.connect() as connection:
            row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.name == name)).one_or_none()
        return account_of(row) if row is not None else None

    def everybody(self) -> list[Account]:
        """Return all accounts, in the order of their names."""
        with self._engine.connect() as connection:
            return [account_of(row) for row in connection.execute(select(ACCOUNTS).order_by(ACCOUNTS.c.name))]

    def disable(self, name: str) -> None:
        """Disable an account, end its sessions and revoke its tokens; repeating it changes nothing.

        Raises:
            AccountError: no account has this name.
        """
        self.find(name)
        now = self._clock()
        with self._engine.begin() as connection:
            connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(disabled=True))
            for table in (TOKENS, SESSIONS):
                revoke_all(connection, table, name, now)

    def enable(self, name: str) -> None:
        """Enable an account again and unlock it; ended sessions and revoked tokens stay ended and revoked.

        Raises:
            AccountError: no account has this name.
        """
        self._change(name, disabled=False, **UNLOCKED)

    def set_password(self, name: str, password: str) -> None:
        """Give an account another password, unlock it and end its sessions.

        Sessions end because somebody else may have opened one with the old password. Tokens stay valid, and a disabled
        account stays disabled.

        Raises:
            AccountError: no account has this name, its person signs in by an OpenID provider, or the password is too
                short.
        """
        self._require_own(name, "passwords")
        values = {"password_hash": hash_password(password), **UNLOCKED}
        with self._engine.begin() as connection:
            connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(values))
            revoke_all(connection, SESSIONS, name, self._clock())

    def set_roles(self, name: str, roles: frozenset[Role]) -> None:
        """Replace the roles of an account.

        Raises:
            AccountError: no account has this name, its roles come from an OpenID provider, or `roles` is empty.
        """
        if not roles:
            raise AccountError("an account has at least one role", hint=f"roles: {', '.join(Role)}")
        self._require_own(name, "roles")
        self._change(name, roles=",".join(sorted(roles)))

    def note_failure(self, name: str) -> Account | None:
        """Count a wrong password; after several, lock the account. Return the account; None if there is none."""
        with self._engine.begin() as connection:
            # counted in the database, so that attempts at the same time are all counted
            connection.execute(
                update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(failed_attempts=ACCOUNTS.c.failed_attempts + 1)
            )
            row = connection.execute(select(ACCOUNTS).where(ACCOUNTS.c.name == name)).one_or_none()
            if row is None:
                return None
            if row.failed_attempts >= FREE_ATTEMPTS:
                seconds = min(_FIRST_LOCK * 2 ** min(row.failed_attempts - FREE_ATTEMPTS, 30), _LONGEST_LOCK)
                connection.execute(
                    update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(locked_until=self._clock() + seconds)
                )
        return self.get(name)

    def note_success(self, account: Account) -> None:
        """Set the count of wrong passwords to zero, after the right password was given."""
        if account.failed_attempts or account.locked_until:
            self._change(account.name, **UNLOCKED)

    def _change(self, name: str, **values: Any) -> None:
        self.find(name)
        with self._engine.begin() as connection:
            connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(values))

    def _require_own(self, name: str, subject: str) -> None:
        """Raise `AccountError` if the account's person signs in by an OpenID provider, where such changes are made."""
        self.find(name)
        with self._engine.connect() as connection:
            query = select(EXTERNAL_IDENTITIES.c.issuer).where(EXTERNAL_IDENTITIES.c.account == name)
            issuer = connection.scalar(query)
        if issuer is not None:
            raise AccountError(
                f"{name} enters by single sign-on, so {subject} come from the OpenID provider",
                hint=f"change it at {issuer}; `sirena user disable {name}` bars the account here, "
                f"`sirena user unlink {name}` makes it one of our own again",
            )


def is_account_name(text: str) -> bool:
    """Tell whether a text may be the name of an account."""
    return _NAME.fullmatch(text) is not None


def account_row(name: str, roles: frozenset[Role], password_hash: str | None, now: float) -> dict[str, Any]:
    """Return the values of a new account's row in the table."""
    return {
        "name": name,
        "roles": ",".join(sorted(roles)),
        "password_hash": password_hash,
        "disabled": False,
        **UNLOCKED,
        "created": now,
    }


def revoke_all(connection: Connection, table: Table, account: str, now: float) -> None:
    """Mark all tokens or all sessions of an account as ended, depending on the table: `TOKENS` or `SESSIONS`."""
    valid_of_account = table.c.account == account, table.c.revoked.is_(None)
    connection.execute(update(table).where(*valid_of_account).values(revoked=now))


def account_of(row: Row[Any]) -> Account:
    """Convert a row of the table of accounts to an account; roles that Sirena no longer knows are left out."""
    return Account(
        row.name,
        frozenset(Role(role) for role in row.roles.split(",") if role in set(Role)),
        row.password_hash,
        row.disabled,
        row.failed_attempts,
        row.locked_until,
        row.created,
    )
