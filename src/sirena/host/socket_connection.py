"""HTTP over a Unix socket, for the standard library's clients."""

import http.client
import socket
from pathlib import Path
from typing import Any


class SocketConnection(http.client.HTTPConnection):
    """An HTTP connection to a Unix socket; the host name is only sent in the request's header."""

    def __init__(self, host: str, path: Path | str, **kwargs: Any) -> None:
        super().__init__(host, **kwargs)
        self._path = str(path)

    def connect(self) -> None:
        """Connect to the Unix socket instead of a TCP port."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(self._path)
        except OSError:
            self.sock.close()
            raise
