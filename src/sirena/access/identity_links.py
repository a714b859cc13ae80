"""Linking an account to a person of the OpenID provider, and unlinking it: by an administrator, never by equal names.

For a linked account the provider says who signs in and with which roles. So linking deletes the account's password and
ends its sessions; its tokens stay valid. After unlinking, nobody signs in to the account by the provider, and it keeps
its last roles.
"""

import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from sirena.access.accounts import UNLOCKED, Accounts, revoke_all
from sirena.access.errors import AccountError
from sirena.access.openid_claims import is_subject
from sirena.access.store import ACCOUNTS, EXTERNAL_IDENTITIES, SESSIONS

_LONGEST_ISSUER: Final = 512


class IdentityLinks:
    """The links in the database between accounts and persons of an OpenID provider."""

    def __init__(self, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock
        self._accounts = Accounts(engine)

    def link(self, name: str, issuer: str, subject: str) -> bool:
        """Link an account to a person of a provider, who then signs in to it. Returns False if they were linked before.

        Args:
            name: name of the account.
            issuer: the provider's own address, to the letter.
            subject: the provider's own name for the person (`sub`).

        Raises:
            AccountError: no account has this name, the account is linked to another person, the person has another
                account, or issuer or subject are malformed.
        """
        self._accounts.find(name)
        if not is_subject(subject):
            raise AccountError("a subject is 1 to 255 ASCII characters", hint="it is the claim `sub` of the provider")
        if urlsplit(issuer).scheme not in ("https", "http") or len(issuer) > _LONGEST_ISSUER:
            raise AccountError("an issuer is an address", hint="as SIRENA_OIDC_ISSUER: https://…")
        row = {"issuer": issuer, "subject": subject, "account": name}
        try:
            with self._engine.begin() as connection:
                if self._is_linked(connection, name, issuer, subject):
                    return False
                connection.execute(insert(EXTERNAL_IDENTITIES).values(**row, created=self._clock()))
                values = {"password_hash": None, **UNLOCKED}
                connection.execute(update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(values))
                revoke_all(connection, SESSIONS, name, self._clock())
        except IntegrityError as error:
            raise AccountError(f"{name} or that person was just linked by somebody else", hint="repeat it") from error
        return True

    def unlink(self, name: str) -> tuple[str, str]:
        """Remove the link of an account, and return the issuer and subject to which it was linked.

        Raises:
            AccountError: no account has this name, or the account is not linked.
        """
        self._accounts.find(name)
        table = EXTERNAL_IDENTITIES
        with self._engine.begin() as connection:
            link = connection.execute(select(table).where(table.c.account == name)).one_or_none()
            if link is None:
                raise AccountError(f"{name} is linked to nobody of a provider", hint="sirena user list")
            connection.execute(delete(table).where(table.c.account == name))
            revoke_all(connection, SESSIONS, name, self._clock())
        return link.issuer, link.subject

    @staticmethod
    def _is_linked(connection: Connection, name: str, issuer: str, subject: str) -> bool:
        table = EXTERNAL_IDENTITIES
        person = table.c.issuer == issuer, table.c.subject == subject
        owner = connection.scalar(select(table.c.account).where(*person))
        if owner is not None and owner != name:
            raise AccountError(f"that person enters as {owner} already", hint=f"`sirena user unlink {owner}` first")
        if owner is None and connection.scalar(select(table.c.account).where(table.c.account == name)) is not None:
            raise AccountError(f"{name} is another person's at a provider", hint=f"`sirena user unlink {name}` first")
        return owner is not None
