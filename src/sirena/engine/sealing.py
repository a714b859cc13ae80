"""What travels through a cluster's shared memory, sealed by a key that lies in memory alone.

When the shared memory of a machine is full, Ray writes it to a disk, to a folder that the cluster's owner chose. Rows
of patients come to lie there, and nobody can read them.

Most of what travels is columns and texts (`engine.pieces`): each is read once, sealed into its place.
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

from sirena.engine.pieces import padded, pieces_of, thing_of

_KEY: Final = 32
_NONCE: Final = 12
_TAG: Final = 16
"""Bytes of AES-256-GCM. A nonce is drawn for each seal."""
_BEGIN: Final = _NONCE + _TAG
_SPARE: Final = 15
"""Bytes that the cipher wants to have left behind what it writes."""


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
        return cls(secrets.token_bytes(_KEY))

    def closed(self, thing: Any, dumps: Callable[..., bytes] = pickle.dumps) -> pickle.PickleBuffer:
        """Return a thing sealed.

        Args:
            thing: anything that `dumps` takes.
            dumps: as `pickle.dumps`.
        """
        pieces = pieces_of(thing, dumps)
        nonce = secrets.token_bytes(_NONCE)
        cipher = Cipher(algorithms.AES(self.key), modes.GCM(nonce)).encryptor()
        content = bytearray(_BEGIN + sum(padded(piece.nbytes) for piece in pieces) + _SPARE)
        place = memoryview(content)[_BEGIN:]
        for piece in pieces:
            cipher.update_into(piece, place)
            cipher.update_into(bytes(padded(piece.nbytes) - piece.nbytes), place[piece.nbytes :])
            place = place[padded(piece.nbytes) :]
        cipher.finalize()
        content[:_BEGIN] = nonce + cipher.tag
        return pickle.PickleBuffer(content)

    def opened(self, sealed: "pickle.PickleBuffer | memoryview") -> Any:
        """Return what was sealed, by us: nobody else has the key, so the pickle is nobody else's.

        Raises:
            InvalidTag: another key sealed it, or it is damaged.
        """
        content = memoryview(sealed)
        nonce, tag = bytes(content[:_NONCE]), bytes(content[_NONCE:_BEGIN])
        cipher = Cipher(algorithms.AES(self.key), modes.GCM(nonce, tag)).decryptor()
        plain = memoryview(bytearray(len(content) - _BEGIN))
        cipher.update_into(content[_BEGIN:-_SPARE], plain)
        cipher.finalize()
        return thing_of(plain)


def _stream_of(batch: pa.RecordBatch) -> tuple[Callable[[pa.Buffer], pa.RecordBatch], tuple[pa.Buffer]]:
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return _batch_of, (sink.getvalue(),)


def _batch_of(stream: pa.Buffer) -> pa.RecordBatch:
    return ipc.open_stream(stream).read_next_batch()


copyreg.pickle(pa.RecordBatch, _stream_of)  # by itself some rows of a batch take all of it along
