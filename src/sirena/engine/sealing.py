"""Encrypting what passes through a cluster's shared memory, by a key that exists in memory only.

When the shared memory of a machine is full, Ray writes it to a disk, to a folder that the cluster's owner chose. So
patients' rows may be on that disk, and encryption keeps them unreadable.

Most of the data are columns and texts (`engine.pieces`); each is read once and encrypted directly into its place.
"""

import copyreg
import pickle
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.ipc as ipc
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sirena.engine.pieces import object_of, padded_size, pieces_of

_KEY: Final = 32
_NONCE: Final = 12
_TAG: Final = 16
"""Bytes of key, nonce and tag of AES-256-GCM. Each encryption draws a new nonce."""
_BEGIN: Final = _NONCE + _TAG
_SPARE: Final = 15
"""Bytes that the cipher needs free after its output."""


@dataclass(frozen=True)
class Seal:
    """Encrypts objects to bytes, and decrypts bytes to objects.

    >>> seal = Seal.random()
    >>> seal.decrypt(seal.encrypt(["S", "I", "R"]))
    ['S', 'I', 'R']
    """

    key: bytes = field(repr=False)

    @classmethod
    def random(cls) -> Self:
        """Create a seal with a new random key."""
        return cls(secrets.token_bytes(_KEY))

    def encrypt(self, value: Any, dumps: Callable[..., bytes] = pickle.dumps) -> pickle.PickleBuffer:
        """Pickle and encrypt an object.

        Args:
            value: any object that `dumps` accepts.
            dumps: function like `pickle.dumps`.
        """
        pieces = pieces_of(value, dumps)
        nonce = secrets.token_bytes(_NONCE)
        cipher = Cipher(algorithms.AES(self.key), modes.GCM(nonce)).encryptor()
        content = _memory(_BEGIN + sum(padded_size(piece.nbytes) for piece in pieces) + _SPARE)
        place = content[_BEGIN:]
        for piece in pieces:
            cipher.update_into(piece, place)
            cipher.update_into(bytes(padded_size(piece.nbytes) - piece.nbytes), place[piece.nbytes :])
            place = place[padded_size(piece.nbytes) :]
        cipher.finalize()
        content[:_BEGIN] = nonce + cipher.tag
        content[-_SPARE:] = bytes(_SPARE)  # what lay there before is sent to nobody
        return pickle.PickleBuffer(content)

    def decrypt(self, ciphertext: "pickle.PickleBuffer | memoryview") -> Any:
        """Decrypt and unpickle an object. Unpickling is safe, since only holders of the key can write such bytes.

        Raises:
            InvalidTag: the bytes were encrypted with another key, or are damaged.
        """
        content = memoryview(ciphertext)
        nonce, tag = bytes(content[:_NONCE]), bytes(content[_NONCE:_BEGIN])
        cipher = Cipher(algorithms.AES(self.key), modes.GCM(nonce, tag)).decryptor()
        plain = _memory(len(content) - _BEGIN)
        cipher.update_into(content[_BEGIN:-_SPARE], plain)
        cipher.finalize()
        return object_of(plain)


def _memory(size: int) -> memoryview:
    """Return memory to be written: Arrow's, which unlike a `bytearray` is neither zeroed nor new for every part."""
    return memoryview(pa.allocate_buffer(size)).cast("B")


def _stream_of(batch: pa.RecordBatch) -> tuple[Callable[[pa.Buffer], pa.RecordBatch], tuple[pa.Buffer]]:
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return _batch_of, (sink.getvalue(),)


def _batch_of(stream: pa.Buffer) -> pa.RecordBatch:
    return ipc.open_stream(stream).read_next_batch()


copyreg.pickle(pa.RecordBatch, _stream_of)  # by itself some rows of a batch take all of it along
