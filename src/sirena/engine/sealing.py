"""What travels through a cluster's shared memory, sealed by a key that lies in memory alone.

When the shared memory of a machine is full, Ray writes it to a disk, to a folder that the cluster's owner chose. Rows
of patients come to lie there, and nobody can read them.
"""

import pickle
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE: Final = 12
"""Bytes; drawn for each seal."""


@dataclass(frozen=True)
class Seal:
    """Makes bytes of things and things of bytes.

    >>> seal = Seal.drawn()
    >>> seal.opened(seal.closed(["S", "I", "R"]))
    ['S', 'I', 'R']
    """

    key: bytes = field(repr=False)

    @classmethod
    def drawn(cls) -> Self:
        """Draw a key."""
        return cls(AESGCM.generate_key(256))

    def closed(self, thing: Any, dumps: Callable[[Any], bytes] = pickle.dumps) -> bytes:
        """Return a thing sealed.

        Args:
            thing: anything that `dumps` takes.
            dumps: makes bytes of it that `pickle` reads.
        """
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self.key).encrypt(nonce, dumps(thing), None)

    def opened(self, content: bytes) -> Any:
        """Return what was sealed, by us: nobody else has the key, so the pickle is nobody else's.

        Raises:
            InvalidTag: another key sealed it, or it is damaged.
        """
        return pickle.loads(AESGCM(self.key).decrypt(content[:_NONCE], content[_NONCE:], None))  # noqa: S301
