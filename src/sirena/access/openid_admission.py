"""Letting in whom the provider vouches for: account, roles, record.

The rules, in their order:

- a disabled account stays outside, and nothing of it changes;
- roles are what the groups say now: gained and lost at each sign-in;
- without a role nobody is let in, and an account that had some has none from then on, its tokens included;
- a person who was never here gets an account, unless the name is another's.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sirena.access.accounts import Account
from sirena.access.events import Notify, RequestOrigin
from sirena.access.external_identities import ExternalIdentities
from sirena.access.openid_claims import ExternalPerson
from sirena.access.openid_refusals import DISABLED, NAME_TAKEN, NO_GROUP, SignInRefusedError
from sirena.ledger.catalogue import AccountChanged, AccountCreated
from sirena.ledger.event import ActOutcome, Event


class Admission:
    """Decides on persons a provider vouches for."""

    def __init__(self, identities: ExternalIdentities, notify: Notify) -> None:
        self._identities = identities
        self._notify = notify

    def admit(self, person: ExternalPerson, origin: RequestOrigin) -> str:
        """Return the name of a person's account, made or given other roles first as the person's groups say.

        Args:
            person: who signed in, by the verified claims of the provider.
            origin: address and program of the request, for the ledger.

        Raises:
            SignInRefusedError: the person may not enter.
        """
        account = self._identities.find(person)
        if account is None:
            return self._newcomer(person, origin)
        if account.disabled:
            raise SignInRefusedError(DISABLED, account.name)
        if account.roles != person.roles:
            role = ",".join(sorted(person.roles))
            change = AccountChanged(who=account.name, **origin, account=account.name, change="role", role=role)
            with self._recorded(change):
                self._identities.give_roles(account, person.roles)
        if not person.roles:
            raise SignInRefusedError(NO_GROUP, account.name)
        return account.name

    def _newcomer(self, person: ExternalPerson, origin: RequestOrigin) -> str:
        if not person.roles:
            raise SignInRefusedError(NO_GROUP, person.name)
        if not person.name or self._identities.is_taken(person.name):
            raise SignInRefusedError(NAME_TAKEN, person.name, person.subject)
        role = ",".join(sorted(person.roles))
        with self._recorded(AccountCreated(who=person.name, **origin, account=person.name, role=role)):
            account: Account = self._identities.create(person)
        return account.name

    @contextmanager
    def _recorded(self, event: Event) -> Iterator[None]:
        """Put the intention on record before, the outcome after."""
        self._notify(event.concluded(ActOutcome.INTENDED))
        try:
            yield
        except BaseException:
            self._notify(event.concluded(ActOutcome.FAILED))
            raise
        self._notify(event.concluded(ActOutcome.DONE))
