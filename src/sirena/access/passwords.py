"""Hashing and verifying passwords by argon2id, so that the time taken does not tell whether an account exists."""

from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sirena.access.errors import AccountError

SHORTEST: Final = 12
LONGEST: Final = 1024
"""Most characters of a password, so that nobody makes Sirena hash megabytes."""

_HASHER: Final = PasswordHasher()
"""RFC 9106's low-memory profile (64 MiB, 3 passes), argon2-cffi's default."""


def hash_password(password: str) -> str:
    """Return the argon2id hash of a new password.

    Raises:
        AccountError: the password is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise AccountError(f"a password has {SHORTEST} to {LONGEST} characters", hint="a sentence is easy to keep")
    return _HASHER.hash(password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Tell whether a password belongs to a hash. If the hash is None, the result is False after the same time."""
    if len(password) > LONGEST:
        return False
    try:
        _HASHER.verify(password_hash or _dummy(), password)
    except (VerificationError, InvalidHashError):
        return False
    return password_hash is not None


@cache
def _dummy() -> str:
    return _HASHER.hash("nobody's password")
