"""Making the secrets that Sirena gives to clients: tokens and session cookies. Only the secrets' SHA-256 is kept.

SHA-256 is enough for 256 random bits, which cannot be guessed; passwords, which people choose, are hashed by argon2.
"""

import hashlib
import secrets
from typing import Final

TOKEN_PREFIX: Final = "sir_"  # noqa: S105 - lets scanners recognise a leaked token; it is no secret


def new_token() -> tuple[str, str]:
    """Return a token's public id and the token itself, ``sir_<id>_<secret>``."""
    public = secrets.token_hex(6)
    return public, f"{TOKEN_PREFIX}{public}_{secrets.token_urlsafe(32)}"


def new_secret() -> str:
    """Return a new random secret of 256 bits, as text."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret; the database keeps this and not the secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
