"""A unit test starts no server: what needs one is an integration test."""

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def no_server() -> Iterator[None]:
    """Refuse to listen at an address of the network; the sockets of files are none."""
    plain = socket.socket.listen

    def listen(self: socket.socket, *backlog: int) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            self.close()
            pytest.fail("a unit test starts a server: it belongs into tests/integration")
        plain(self, *backlog)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "listen", listen)
        yield
