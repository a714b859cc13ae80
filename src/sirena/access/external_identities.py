"""Accounts that a provider vouches for: bound to issuer and subject, never to a name.

An account made here with a password is nobody's at the provider, whatever it is called; so a person who has its name
there is refused rather than let into it.
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
    """The external identities of a store."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def find(self, person: ExternalPerson) -> Account | None:
        """Return the account of a person, or None."""
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
        """Make the account of a person, without a password.

        Raises:
            SignInRefusedError: an account of that name exists and is not theirs.
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
        """Let an account hold exactly these roles; none at all is possible here, and opens nothing."""
        with self._engine.begin() as connection:
            connection.execute(
                update(ACCOUNTS).where(ACCOUNTS.c.name == account.name).values(roles=",".join(sorted(roles)))
            )

    def is_taken(self, name: str) -> bool:
        """Tell whether there is an account of a name."""
        with self._engine.connect() as connection:
            return connection.scalar(select(ACCOUNTS.c.name).where(ACCOUNTS.c.name == name)) is not None

    def accounts(self) -> frozenset[str]:
        """Return the names of all accounts that a provider vouches for."""
        with self._engine.connect() as connection:
            return frozenset(connection.scalars(select(EXTERNAL_IDENTITIES.c.account)))
