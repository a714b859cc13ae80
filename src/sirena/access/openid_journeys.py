"""Sign-ins that were begun and whose browser is at the OpenID provider, kept in a cookie of that browser.

The cookie proves that the provider's answer belongs to this browser. Only this process can read and write it (encrypted
and signed with a key of the process), so a flood of begun sign-ins fills no memory. An answer is accepted
once: the states of used sign-ins are remembered until they would be too old anyway.
"""

import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from cryptography.fernet import Fernet, InvalidToken

from sirena.access.openid_refusals import STATE, SignInRefusedError
from sirena.access.secrets_issued import new_secret

JOURNEY_COOKIE: Final = "__Host-sirena_openid"
JOURNEY_SECONDS: Final = 600
"""Seconds that a person has for password and second factor at the provider."""


@dataclass(frozen=True)
class Journey:
    """A sign-in that has begun: the browser was sent to the provider."""

    state: str
    nonce: str
    verifier: str
    """Code verifier of PKCE; only its hash goes through the browser's address bar."""
    target: str
    """Page of Sirena to show after signing in."""


class Journeys:
    """Encrypted cookies, each of which holds one begun sign-in and can be used once."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._box = Fernet(Fernet.generate_key())
        self._clock = clock
        self._ended_journeys: dict[str, float] = {}

    def begin(self, target: str) -> tuple[Journey, str]:
        """Begin a sign-in; return it, and the value of the encrypted cookie that holds it."""
        journey = Journey(new_secret(), new_secret(), secrets.token_urlsafe(48), target)
        cookie = self._box.encrypt_at_time(json.dumps(asdict(journey)).encode(), int(self._clock()))
        return journey, cookie.decode()

    def end(self, cookie: str, state: str) -> Journey:
        """Return the begun sign-in that a browser's cookie holds, and mark it as used, since each can be used once.

        Args:
            cookie: value that `begin` gave to the browser.
            state: state parameter in the provider's answer.

        Raises:
            SignInRefusedError: the sign-in is unknown, is another browser's, is too old, or was used already.
        """
        now = self._clock()
        try:
            content = self._box.decrypt_at_time(cookie.encode(), JOURNEY_SECONDS, int(now))
        except (InvalidToken, UnicodeError) as error:
            raise SignInRefusedError(STATE) from error
        journey = Journey(**json.loads(content))
        if not hmac.compare_digest(journey.state.encode(), state.encode()):
            raise SignInRefusedError(STATE)
        self._ended_journeys = {key: until for key, until in self._ended_journeys.items() if until > now}
        if journey.state in self._ended_journeys:
            raise SignInRefusedError(STATE)
        self._ended_journeys[journey.state] = now + JOURNEY_SECONDS
        return journey
