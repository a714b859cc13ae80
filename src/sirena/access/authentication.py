"""Finding out whose a credential is, from a memory that is at most `FRESH_SECONDS` old.

There are two memories. The key of both is a keyed hash of the credential, so that no password or token is kept:

- *identity*, whose credential it is, for `FRESH_SECONDS`. Then the database is read again, so that revoking, disabling
  and changing roles work within that time, and one second later where NGINX remembers a decision. While the database
  does not answer, an identity is used until it is `KEPT_SECONDS` old, so that PostgreSQL can restart meanwhile;
- *proof*, that a password belongs to an argon2 hash, for `PROOF_SECONDS`. It spares 64 MiB and some 20 ms for each
  request; the account is still read. A changed password has another hash, for which an old proof is not valid.
"""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import SQLAlchemyError

from sirena.access.accounts import Account, Accounts
from sirena.access.credentials import Bearer, Credential, Password, SessionCookie
from sirena.access.errors import NotSignedInError
from sirena.access.events import Notify, RequestOrigin
from sirena.access.identity import Identity, Means
from sirena.access.passwords import verify_password
from sirena.access.sessions import Sessions
from sirena.access.throttle import FailureThrottle
from sirena.access.tokens import Tokens
from sirena.ledger.catalogue import AccountChanged, Login, LoginFailed

FRESH_SECONDS: Final = 1.0
KEPT_SECONDS: Final = 4.5
"""Oldest identity used while the database does not answer; a revocation must work within five seconds."""
PROOF_SECONDS: Final = 300.0
REFUSAL_BEAT: Final = 0.25
"""Seconds. The answer to a wrong password comes after a whole number of these, so that its time does not tell whether
there is an account of that name.
"""
_CAUSES: Final[dict[type[Credential], str]] = {
    Bearer: "token_refused",
    SessionCookie: "session_refused",
    Password: "password_refused",
}
"""Causes of `refusal` events. The event `login_failed` says why the token or password was not accepted."""
_BASIC: Final = "basic"
"""The ledger's name for signing in by a password."""
_V = TypeVar("_V")
_REMEMBERED: Final = 10_000
_HASHES_AT_ONCE: Final = 2
"""Passwords hashed at the same time; each takes 64 MiB and a core."""


@dataclass(frozen=True)
class RequestSender:
    """The client address and the id of a request, for throttling and for the ledger."""

    address: str
    request_id: str

    @property
    def origin(self) -> RequestOrigin:
        """Address and id of the request, as fields of its events."""
        return {"origin": self.address, "request_id": self.request_id}


class Authenticator:
    """Check of passwords, tokens and session cookies. One object for each process, used in one event loop."""

    def __init__(
        self,
        accounts: Accounts,
        tokens: Tokens,
        sessions: Sessions,
        notify: Notify,
        *,
        clock: Callable[[], float] = time.time,
        monotonic_clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Create the authenticator; nothing is remembered yet.

        Args:
            accounts: the accounts with their password hashes.
            tokens: the tokens in the database.
            sessions: the sessions in the database.
            notify: records logins and failed logins.
            clock: seconds since 1970, for the locks of accounts.
            monotonic_clock: seconds of a clock that nobody can set, for the age of what is remembered.
        """
        self._accounts = accounts
        self._tokens = tokens
        self._sessions = sessions
        self._notify = notify
        self._clock = clock
        self._monotonic_clock = monotonic_clock
        self._key = secrets.token_bytes(32)
        self._identities: dict[bytes, tuple[float, Identity | None]] = {}
        self._proofs: dict[bytes, tuple[float, str]] = {}
        self._questions: dict[bytes, asyncio.Task[Identity | None]] = {}
        self._throttle = FailureThrottle(monotonic_clock)
        self._hash_limiter = CapacityLimiter(_HASHES_AT_ONCE)

    async def identify(self, credential: Credential, address: str, request_id: str = "") -> Identity:
        """Return the identity that a credential proves.

        Args:
            credential: credential of the request.
            address: address of the client, for throttling and the ledger.
            request_id: id of the request, for the ledger.

        Raises:
            NotSignedInError: the credential is not valid, or its account or address is locked for a while.
        """
        key = self._key_of(credential)
        entry = self._identities.get(key)
        if entry is not None and self._monotonic_clock() < entry[0]:
            identity = entry[1]
        else:
            try:
                identity = await self._ask_once(key, credential, RequestSender(address, request_id))
            except SQLAlchemyError:
                if entry is None or self._monotonic_clock() >= entry[0] + KEPT_SECONDS - FRESH_SECONDS:
                    raise
                identity = entry[1] and replace(entry[1], confirmed=False)
        if identity is None:
            refusal = NotSignedInError("the credential does not hold", hint="sign in again, or ask for another token")
            refusal.cause = _CAUSES[type(credential)]
            raise refusal
        return identity

    def forget(self, credential: Credential) -> None:
        """Forget the identity and the proof of a credential at once."""
        key = self._key_of(credential)
        self._identities.pop(key, None)
        self._proofs.pop(key, None)

    async def _ask_once(self, key: bytes, credential: Credential, sender: RequestSender) -> Identity | None:
        """Ask the database once for requests that come at the same time with the same credential."""
        task = self._questions.get(key)
        if task is None:
            task = asyncio.ensure_future(self._ask(key, credential, sender))
            self._questions[key] = task
            task.add_done_callback(lambda _: self._questions.pop(key, None))
        return await asyncio.shield(task)

    async def _ask(self, key: bytes, credential: Credential, sender: RequestSender) -> Identity | None:
        # the age of an identity counts from before the database is read
        moment = self._monotonic_clock()
        match credential:
            case Bearer(token):
                identity = await to_thread.run_sync(self._of_token, token, sender)
            case SessionCookie(value):
                identity = await to_thread.run_sync(self._of_session, value)
            case Password():
                identity = await self._of_password(key, credential, sender)
                if identity is None:
                    # the work differs: an account that exists is counted, and perhaps locked
                    await asyncio.sleep((moment - self._monotonic_clock()) % REFUSAL_BEAT)
                    return None  # not remembered: a lock that ends must be noticed, and the account counts by itself
        _remember(self._identities, key, (moment + FRESH_SECONDS, identity), self._monotonic_clock())
        return identity

    def _of_token(self, secret: str, sender: RequestSender) -> Identity | None:
        token_and_owner = self._tokens.resolve(secret)
        if token_and_owner is None:
            owner_name, cause = self._tokens.why_not(secret)
            self._notify(LoginFailed(who=owner_name, **sender.origin, method="token", cause=cause))
            return None
        token, owner = token_and_owner
        return Identity(owner.name, owner.roles, Means.TOKEN, scopes=token.scopes)

    def _of_session(self, value: str) -> Identity | None:
        session = self._sessions.resolve(value)
        if session is None:
            return None
        account = session.account
        return Identity(
            account.name, account.roles, Means.SESSION, csrf_sha256=session.csrf_sha256, session=session.name
        )

    async def _of_password(self, key: bytes, credential: Password, sender: RequestSender) -> Identity | None:
        account = await to_thread.run_sync(self._accounts.get, credential.name)
        usable = account is not None and not account.disabled and account.password_hash is not None
        if account is not None and usable and self._is_proved(key, account):
            return Identity(account.name, account.roles, Means.PASSWORD)
        is_closed = self._throttle.is_closed(sender.address)
        is_locked = account is not None and account.locked_until > self._clock()
        password_hash = account.password_hash if account is not None and usable and not is_locked else None
        # a lock spares no hash: while others wait for theirs, a quick answer would tell that there is the account
        right = not is_closed and await to_thread.run_sync(
            verify_password, password_hash, credential.password, limiter=self._hash_limiter
        )
        if is_closed or is_locked:
            if not is_closed:
                self._throttle.note(sender.address)
            await self._tell_failure(credential, sender, "locked", is_known=account is not None)
            return None
        if account is None or not right:
            await self._note_failure(account, credential, sender)
            return None
        assert account.password_hash is not None
        await to_thread.run_sync(self._accounts.note_success, account)
        _remember(
            self._proofs, key, (self._monotonic_clock() + PROOF_SECONDS, account.password_hash), self._monotonic_clock()
        )
        await to_thread.run_sync(self._notify, Login(who=credential.name, **sender.origin, method=_BASIC))
        return Identity(account.name, account.roles, Means.PASSWORD)

    async def _note_failure(self, account: Account | None, credential: Password, sender: RequestSender) -> None:
        self._throttle.note(sender.address)
        is_locked = False
        if account is not None:
            after = await to_thread.run_sync(self._accounts.note_failure, account.name)
            is_locked = after is not None and after.locked_until > self._clock()
        await self._tell_failure(credential, sender, "password", is_known=account is not None)
        if is_locked:
            change = AccountChanged(who=credential.name, **sender.origin, account=credential.name, change="locked")
            await to_thread.run_sync(self._notify, change)

    async def _tell_failure(self, credential: Password, sender: RequestSender, cause: str, *, is_known: bool) -> None:
        # a name that is no account may be a password typed into the wrong field
        who = credential.name if is_known else ""
        failure = LoginFailed(who=who, **sender.origin, method=_BASIC, cause=cause)
        await to_thread.run_sync(self._notify, failure)

    def _is_proved(self, key: bytes, account: Account) -> bool:
        proof = self._proofs.get(key)
        return proof is not None and self._monotonic_clock() < proof[0] and proof[1] == account.password_hash

    def _key_of(self, credential: Credential) -> bytes:
        match credential:
            case Bearer(token):
                text = f"t\0{token}"
            case SessionCookie(value):
                text = f"s\0{value}"
            case Password(name, password):
                text = f"p\0{name}\0{password}"
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=32).digest()


def _remember(memory: dict[bytes, tuple[float, _V]], key: bytes, entry: tuple[float, _V], now: float) -> None:
    if len(memory) >= _REMEMBERED:
        for stale in [old_key for old_key, (until, _) in memory.items() if until <= now]:
            del memory[stale]
        while len(memory) >= _REMEMBERED:
            del memory[next(iter(memory))]
    memory[key] = entry
