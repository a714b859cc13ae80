"""A unit test opens no network: what needs a server is an integration test."""

import socket
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to listen at and to connect to an address of the network; the sockets of files are none."""
    for name in ("listen", "connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _refused_to_the_network(getattr(socket.socket, name)))


def _refused_to_the_network(plain: Callable[..., Any]) -> Callable[..., Any]:
    def checked(self: socket.socket, *arguments: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            self.close()
            pytest.fail(f"a unit test opens the network {arguments}: it belongs into tests/integration")
        return plain(self, *arguments)

    return checked
