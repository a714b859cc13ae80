"""Accounts of persons who sign in by an OpenID provider, found by issuer and subject, never by a name.

An account made in Sirena belongs to nobody at the provider, even if a person there has the same name; that person is
refused and does not get the account.
"""

import time
from collections.abc import Callable

from sqlalchemy import Engine, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from sirena.access.accounts import Account, account_of, account_row
from sirena.access.actions import Role
from sirena.access.openid_claims import ExternalPerson
from sirena.access.openid_refusals import NAME_TAKEN, SignInRefusedError
from sirena.access.store import ACCOUNTS, EXTERNAL_IDENTITIES


class ExternalIdentities:
    """The accounts, in the database, of persons who sign in by an OpenID provider."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def find(self, person: ExternalPerson) -> Account | None:
        """Return the account of a person; None if the person has no account."""
        query = (
            select(ACCOUNTS)
            .join(EXTERNAL_IDENTITIES, EXTERNAL_IDENTITIES.c.account == ACCOUNTS.c.name)
            .where(
                and_(
                    EXTERNAL_IDENTITIES.c.issuer == person.issuer,
                    EXTERNAL_IDENTITIES.c.subject == person.subject,
                )
            )
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return account_of(row) if row is not None else None

    def create(self, person: ExternalPerson) -> Account:
        """Make an account for a person, without a password.

        Raises:
            SignInRefusedError: another account has the person's name.
        """
        now = self._clock()
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(ACCOUNTS).values(account_row(person.name, person.roles, None, now)))
                connection.execute(
                    insert(EXTERNAL_IDENTITIES).values(
                        issuer=person.issuer, subject=person.subject, account=person.name, created=now
                    )
                )
        except IntegrityError as error:
            # the same person may have signed in twice at the same time
            account = self.find(person)
            if account is None:
                raise SignInRefusedError(NAME_TAKEN, person.name, person.subject) from error
            return account
        account = self.find(person)
        assert account is not None
        return account

    def give_roles(self, account: Account, roles: frozenset[Role]) -> None:
        """Replace the roles of an account; without any role the account may do nothing."""
        with self._engine.begin() as connection:
            connection.execute(
                update(ACCOUNTS).where(ACCOUNTS.c.name == account.name).values(roles=",".join(sorted(roles)))
            )

    def is_taken(self, name: str) -> bool:
        """Tell whether an account has this name."""
        with self._engine.connect() as connection:
            return connection.scalar(select(ACCOUNTS.c.name).where(ACCOUNTS.c.name == name)) is not None

    def accounts(self) -> frozenset[str]:
        """Return the names of all accounts whose persons sign in by an OpenID provider."""
        with self._engine.connect() as connection:
            return frozenset(connection.scalars(select(EXTERNAL_IDENTITIES.c.account)))
