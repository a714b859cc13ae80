"""What travels through a cluster's shared memory, sealed by a key that lies in memory alone.

When the shared memory of a machine is full, Ray writes it to a disk, to a folder that the cluster's owner chose. Rows
of patients come to lie there, and nobody can read them.

Most of what travels is columns and texts, which `pickle` gives as buffers: each is read once, sealed into its place.
"""

import copyreg
import pickle
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.ipc as ipc
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_KEY: Final = 32
_NONCE: Final = 12
_TAG: Final = 16
"""Bytes of AES-256-GCM. A nonce is drawn for each seal."""
_BEGIN: Final = _NONCE + _TAG
_SPARE: Final = 15
"""Bytes that the cipher wants to have left behind what it writes."""
_ALIGNED: Final = 64
"""Bytes to a multiple of which every buffer begins, as Arrow wants it."""


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
        buffers: list[pickle.PickleBuffer] = []
        head = dumps(thing, protocol=5, buffer_callback=buffers.append)
        pieces = [memoryview(head), *(buffer.raw() for buffer in buffers)]
        sizes = struct.pack(f"<{1 + len(pieces)}Q", len(pieces), *(piece.nbytes for piece in pieces))
        nonce = secrets.token_bytes(_NONCE)
        cipher = Cipher(algorithms.AES(self.key), modes.GCM(nonce)).encryptor()
        content = bytearray(_BEGIN + sum(_padded(piece.nbytes) for piece in (memoryview(sizes), *pieces)) + _SPARE)
        place = memoryview(content)[_BEGIN:]
        for piece in (memoryview(sizes), *pieces):
            cipher.update_into(piece, place)
            cipher.update_into(bytes(_padded(piece.nbytes) - piece.nbytes), place[piece.nbytes :])
            place = place[_padded(piece.nbytes) :]
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
        (count,) = struct.unpack_from("<Q", plain)
        place = _padded(8 * (1 + count))
        pieces = []
        for size in struct.unpack_from(f"<{count}Q", plain, 8):
            pieces.append(plain[place : place + size])
            place += _padded(size)
        return pickle.loads(pieces[0], buffers=pieces[1:])  # noqa: S301 - see above


def _stream_of(batch: pa.RecordBatch) -> tuple[Callable[[pa.Buffer], pa.RecordBatch], tuple[pa.Buffer]]:
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return _batch_of, (sink.getvalue(),)


def _batch_of(stream: pa.Buffer) -> pa.RecordBatch:
    return ipc.open_stream(stream).read_next_batch()


copyreg.pickle(pa.RecordBatch, _stream_of)  # by itself some rows of a batch take all of it along


def _padded(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED
