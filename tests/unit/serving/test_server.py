"""The server and signals."""

import signal
import socket
from pathlib import Path

import uvicorn
from starlette.responses import PlainTextResponse

from sirena.serving.server import bind_path, run_until_signal


def test_a_signal_that_comes_before_uvicorn_hears_any_ends_the_server(tmp_path: Path) -> None:
    """Else a worker that is told to end while it starts lives on, and its parent waits for it for ever."""

    class ToldEarly(uvicorn.Server):
        def run(self, sockets: list[socket.socket] | None = None) -> None:
            signal.raise_signal(signal.SIGTERM)
            super().run(sockets)

    before = signal.getsignal(signal.SIGTERM)
    with bind_path(tmp_path / "socket") as bound:
        run_until_signal(PlainTextResponse("there"), bound, make_server=ToldEarly)
    assert signal.getsignal(signal.SIGTERM) is before
