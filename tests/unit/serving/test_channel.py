"""Messages between processes, and files in memory that travel with them."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from sirena.serving.channel import dump, in_memory, load, open_channel, receive, send


def open_files() -> int:
    """Return how many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_message_comes_whole_or_without_files() -> None:
    """Where too few files can be opened for all that were sent, none is left open and none is returned."""
    ours, theirs = open_channel()
    sent = [dump("standing"), dump("panel")]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = open_files()
    # the lowest free descriptor is the only one left
    free = os.dup(ours.fileno())
    os.close(free)
    send(ours, b"published", sent)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, hard))
    try:
        message = receive(theirs)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert message == (b"published", [])
    assert open_files() == before
    send(ours, b"published", sent)
    word, files = receive(theirs)
    assert (word, [load(file) for file in files]) == (b"published", ["standing", "panel"])
    for file in (*sent, *files):
        os.close(file)
    ours.close()
    assert receive(theirs) == (b"", [])
    theirs.close()


def test_a_file_that_cannot_be_written_is_not_left_open() -> None:
    """What fails again and again, as for want of memory, takes no descriptor each time."""

    def failing() -> Iterator[bytes]:
        yield b"some"
        raise MemoryError

    before = open_files()
    with pytest.raises(MemoryError):
        in_memory(failing())
    assert open_files() == before
