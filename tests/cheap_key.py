"""A backup repository of a test whose key costs little: restic derives it anew in every command, for 0.4 s.

What restic reads and writes is as before; only the password is worth less. Source of the format: restic's design
document, "Keys, Encryption and MAC".
"""

import base64
import json
import os
from hashlib import scrypt, sha256
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

_CHEAPEST: Final = {"N": 2, "r": 8, "p": 1}
_NONCE: Final = 16
_MAC: Final = 16
_CLAMP: Final = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
"""Bits of a Poly1305 key that count."""
_MEMORY: Final = 2**28


def make_key_cheap(repository: Path, password_file: Path) -> None:
    """Encrypt the key of a repository that was just made anew, under parameters of scrypt that cost nothing."""
    (path,) = (repository / "keys").iterdir()
    key: dict[str, Any] = json.loads(path.read_bytes())
    password = password_file.read_bytes().strip()
    sealed = base64.b64decode(key["data"])
    nonce, text, mac = sealed[:_NONCE], sealed[_NONCE:-_MAC], sealed[-_MAC:]
    before = _Derived(password, key)
    assert before.mac(nonce, text) == mac
    master = before.encrypt(nonce, text)
    key |= _CHEAPEST
    after, nonce = _Derived(password, key), os.urandom(_NONCE)
    text = after.encrypt(nonce, master)
    key["data"] = base64.b64encode(nonce + text + after.mac(nonce, text)).decode()
    content = json.dumps(key).encode()
    path.with_name(sha256(content).hexdigest()).write_bytes(content)
    path.unlink()


class _Derived:
    """The keys that follow from a password and the parameters in a key file."""

    def __init__(self, password: bytes, key: dict[str, Any]) -> None:
        salt, cost = base64.b64decode(key["salt"]), {"n": key["N"], "r": key["r"], "p": key["p"]}
        derived = scrypt(password, salt=salt, maxmem=_MEMORY, dklen=64, **cost)
        self._encryption, self._k, self._r = derived[:32], derived[32:48], derived[48:]

    def encrypt(self, nonce: bytes, text: bytes) -> bytes:
        """Encrypt by AES-256 in counter mode, or decrypt, which is the same."""
        return Cipher(algorithms.AES(self._encryption), modes.CTR(nonce)).encryptor().update(text)

    def mac(self, nonce: bytes, text: bytes) -> bytes:
        """Return Poly1305-AES of an encrypted text."""
        r = (int.from_bytes(self._r, "little") & _CLAMP).to_bytes(16, "little")
        s = Cipher(algorithms.AES(self._k), modes.ECB()).encryptor().update(nonce)
        return Poly1305.generate_tag(r + s, text)
