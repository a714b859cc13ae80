"""A unit test opens no network: what needs a server is an integration test."""

import socket
from typing import Any, NoReturn

import pytest


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to listen at and to connect to an address of the network; sockets of files are none."""
    for name in ("bind", "connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, _within_the_machine(getattr(socket.socket, name)))


def _within_the_machine(plain: Any) -> Any:
    def checked(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse(address)
        return plain(self, address)

    return checked


def _refuse(address: object) -> NoReturn:
    pytest.fail(f"a unit test opens the network ({address}): it belongs into tests/integration")
