"""Making and changing accounts and linking them to persons of the OpenID provider, recorded in the ledger."""

from collections.abc import Callable

from sqlalchemy import Engine

from sirena.access.accounts import Account, Accounts
from sirena.access.actions import Role
from sirena.access.identity_links import IdentityLinks
from sirena.acts.recording import recorded
from sirena.ledger.catalogue import AccountChanged, AccountCreated
from sirena.settings.catalogue import Settings


def add_account(settings: Settings, store: Engine, name: str, roles: frozenset[Role], password: str | None) -> Account:
    """Make an account; an account without a password can only be used with tokens.

    Raises:
        AccountError: name or password are malformed, or an account of this name exists.
    """
    with recorded(settings, AccountCreated, account=name, role=_role_names(roles)):
        return Accounts(store).add(name, roles, password)


def change_password(settings: Settings, store: Engine, name: str, ask: Callable[[], str]) -> None:
    """Give an account another password; its sessions end.

    Args:
        settings: settings that name the ledger.
        store: database of accounts.
        name: name of the account.
        ask: returns the new password; called only if there is such an account.
    """
    accounts = Accounts(store)
    accounts.find(name)
    password = ask()
    with recorded(settings, AccountChanged, account=name, change="password"):
        accounts.set_password(name, password)


def change_roles(settings: Settings, store: Engine, name: str, roles: frozenset[Role]) -> None:
    """Replace the roles of an account."""
    with recorded(settings, AccountChanged, account=name, change="role", role=_role_names(roles)):
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
    """Link an account to a person of the OpenID provider, who then signs in as this account.

    Args:
        settings: settings that name the ledger.
        store: database of accounts.
        name: name of the account.
        issuer: the provider's own address, to the letter.
        subject: the provider's own name for the person.
    """
    facts = {"account": name, "change": "linked", "issuer": issuer, "subject": subject}
    with recorded(settings, AccountChanged, **facts) as act:
        if not IdentityLinks(store).link(name, issuer, subject):
            act.nothing_to_do()


def unlink_account(settings: Settings, store: Engine, name: str) -> str:
    """Remove the link of an account to a person of the OpenID provider, and return the provider's address."""
    with recorded(settings, AccountChanged, account=name, change="unlinked") as act:
        issuer, subject = IdentityLinks(store).unlink(name)
        act.learn(issuer=issuer, subject=subject)
    return issuer


def _role_names(roles: frozenset[Role]) -> str:
    return ",".join(sorted(roles))
