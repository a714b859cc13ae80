"""Messages between a parent process and its workers: a short word, and files in shared memory.

Long data are sent as a sealed file in memory: nobody can change it, and all processes that map it share it.
"""

import fcntl
import mmap
import os
import pickle
import socket
from collections.abc import Iterable, Sequence
from typing import Any, Final

_LONGEST_WORD: Final = 64
_MOST_FILES: Final = 8
_SEALS: Final = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL


def open_channel() -> tuple[socket.socket, socket.socket]:
    """Return the two ends of a channel, which keeps messages separate and shows when the other end is closed."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(channel: socket.socket, word: bytes, files: Sequence[int] = ()) -> None:
    """Send a word and file descriptors; the descriptors stay open in this process.

    Raises:
        OSError: the other end is closed, or no longer reads.
    """
    socket.send_fds(channel, [word], list(files))


def send_object(channel: socket.socket, word: bytes, value: Any) -> None:
    """Send a word and an object, which the other end reads by `load`.

    Raises:
        OSError: the other end is gone, or reads no more; or this process can open no more files.
    """
    file = dump(value)
    try:
        send(channel, word, [file])
    finally:
        os.close(file)


def receive(channel: socket.socket) -> tuple[bytes, list[int]]:
    """Return the next message with its files open; the word is empty if the other end is closed.

    If this process may open no more files, the kernel drops some of them; then none is returned.
    """
    try:
        word, files, flags, _ = socket.recv_fds(channel, _LONGEST_WORD, _MOST_FILES)
    except ConnectionError:
        return b"", []
    if flags & socket.MSG_CTRUNC:
        for file in files:
            os.close(file)
        return word, []
    return word, files


def in_memory(parts: Iterable[bytes | memoryview]) -> int:
    """Write parts one after another into a sealed file in memory; return the file's descriptor."""
    descriptor = os.memfd_create("sirena", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.writelines(parts)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def map_file(descriptor: int) -> memoryview:
    """Return the content of a file in memory; it stays in memory as long as anything refers to the result."""
    return memoryview(mmap.mmap(descriptor, 0, prot=mmap.PROT_READ))


def dump(value: Any) -> int:
    """Return the descriptor of a sealed file in memory that holds a pickled object."""
    return in_memory([pickle.dumps(value)])


def load(descriptor: int) -> Any:
    """Return the object that `dump` wrote; the file stays open."""
    return pickle.loads(map_file(descriptor))  # noqa: S301 - written by a process of this service, and sealed
