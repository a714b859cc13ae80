"""Deciding whether a person of the OpenID provider may sign in; their account and roles follow the provider's claims.

The rules, in their order:

- a disabled account may not sign in, and nothing about it is changed;
- roles are those of the person's groups now: gained and lost at each sign-in;
- without a role nobody may sign in, and an account that had roles loses them, so that its tokens may do nothing;
- a new person gets an account, unless another account has the name.
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
    """Admission of persons who signed in at the OpenID provider."""

    def __init__(self, identities: ExternalIdentities, notify: Notify) -> None:
        self._identities = identities
        self._notify = notify

    def admit(self, person: ExternalPerson, origin: RequestOrigin) -> str:
        """Return the name of a person's account, after making it for a new person and giving it the groups' roles.

        Args:
            person: the person who signed in, from the provider's verified claims.
            origin: address and id of the request, for the ledger.

        Raises:
            SignInRefusedError: the person may not sign in.
        """
        account = self._identities.find(person)
        if account is None:
            return self._newcomer(person, origin)
        if account.disabled:
            raise SignInRefusedError(DISABLED, account.name)
        if account.roles != person.roles:
            role = ",".join(sorted(person.roles))
            change = AccountChanged(who=account.name, **origin, account=account.name, change="role", role=role)
            with self._recorded_event(change):
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
        with self._recorded_event(AccountCreated(who=person.name, **origin, account=person.name, role=role)):
            account: Account = self._identities.create(person)
        return account.name

    @contextmanager
    def _recorded_event(self, event: Event) -> Iterator[None]:
        """Record the event as intended before the block, and its outcome after it."""
        self._notify(event.concluded(ActOutcome.INTENDED))
        try:
            yield
        except BaseException:
            self._notify(event.concluded(ActOutcome.FAILED))
            raise
        self._notify(event.concluded(ActOutcome.DONE))
