"""Accounts made, changed and bound to persons of the OpenID provider, on record."""

from collections.abc import Callable

from sqlalchemy import Engine

from sirena.access.accounts import Account, Accounts
from sirena.access.actions import Role
from sirena.access.identity_links import IdentityLinks
from sirena.acts.recording import recorded
from sirena.ledger.catalogue import AccountChanged, AccountCreated
from sirena.settings.catalogue import Settings


def add_account(settings: Settings, store: Engine, name: str, roles: frozenset[Role], password: str | None) -> Account:
    """Make an account; without a password it is for tokens alone.

    Raises:
        AccessError: the name or the password cannot be, or the account is there.
    """
    with recorded(settings, AccountCreated, account=name, role=_listed(roles)):
        return Accounts(store).add(name, roles, password)


def change_password(settings: Settings, store: Engine, name: str, ask: Callable[[], str]) -> None:
    """Give an account another password; its sessions end.

    Args:
        settings: which ledger.
        store: of accounts.
        name: of the account.
        ask: gives the password, once it is known that there is such an account.
    """
    accounts = Accounts(store)
    accounts.find(name)
    password = ask()
    with recorded(settings, AccountChanged, account=name, change="password"):
        accounts.set_password(name, password)


def change_roles(settings: Settings, store: Engine, name: str, roles: frozenset[Role]) -> None:
    """Replace the roles of an account."""
    with recorded(settings, AccountChanged, account=name, change="role", role=_listed(roles)):
        Accounts(store).set_roles(name, roles)


def enable_account(settings: Settings, store: Engine, name: str) -> None:
    """Enable a disabled account, and unlock it."""
    with recorded(settings, AccountChanged, account=name, change="enabled"):
        Accounts(store).enable(name)


def disable_account(settings: Settings, store: Engine, name: str) -> None:
    """Disable an account: its sessions and tokens end."""
    with recorded(settings, AccountChanged, account=name, change="disabled"):
        Accounts(store).disable(name)


def link_account(settings: Settings, store: Engine, name: str, issuer: str, subject: str) -> None:
    """Let a person of the OpenID provider enter as an account.

    Args:
        settings: which ledger.
        store: of accounts.
        name: of the account.
        issuer: the provider, to the letter.
        subject: the provider's own name of the person.
    """
    facts = {"account": name, "change": "linked", "issuer": issuer, "subject": subject}
    with recorded(settings, AccountChanged, **facts) as act:
        if not IdentityLinks(store).link(name, issuer, subject):
            act.nothing_to_do()


def unlink_account(settings: Settings, store: Engine, name: str) -> str:
    """Take an account from its person of the OpenID provider, and return the provider."""
    with recorded(settings, AccountChanged, account=name, change="unlinked") as act:
        issuer, subject = IdentityLinks(store).unlink(name)
        act.learn(issuer=issuer, subject=subject)
    return issuer


def _listed(roles: frozenset[Role]) -> str:
    return ",".join(sorted(roles))
