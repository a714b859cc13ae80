"""A client that sends raw bytes over TLS, as no honest client would, from a chosen loopback address."""

import contextlib
import http.client
import io
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, StreamReset

SILENCE = 0.3
"""Seconds without a byte after which the other side is taken to have said everything, if what it said is whole."""
PATIENCE = 60.0
"""Seconds until it begins."""


@dataclass
class Answer:
    """One HTTP response."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    """Lower-case names."""
    body: bytes = b""

    @property
    def request_id(self) -> str:
        """The request's id in logs and ledger."""
        return self.headers.get("x-request-id", "")


@dataclass(frozen=True)
class HostileClient:
    """Sends bytes to one port of the NGINX entry."""

    port: int
    authority: Path
    name: str = "localhost"

    def connect(self, address: str = "127.0.0.1", protocol: str = "http/1.1") -> ssl.SSLSocket:
        """Open a TLS connection from a loopback address."""
        context = ssl.create_default_context(cafile=str(self.authority))
        context.set_alpn_protocols([protocol])
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60, source_address=(address, 0))
        return context.wrap_socket(plain, server_hostname=self.name)

    def send(self, raw: bytes, address: str = "127.0.0.1", patience: float = PATIENCE) -> list[Answer]:
        """Send bytes exactly as given, and return every response until the server is silent.

        Args:
            raw: the bytes.
            address: loopback address to send from.
            patience: seconds of silence after which the server counts as waiting for more.
        """
        with self.connect(address) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
                connection.sendall(raw)
            connection.settimeout(patience)
            came = b""
            with contextlib.suppress(TimeoutError, ConnectionResetError, ssl.SSLError):
                while more := connection.recv(65536):
                    came += more
                    connection.settimeout(SILENCE if _is_whole(came) else patience)
        return read_answers(came)

    def send_http2(self, headers: list[tuple[bytes, bytes]], body: bytes, address: str) -> Answer:
        """Send one HTTP/2 request without the checks that HTTP libraries make."""
        settings = H2Configuration(
            client_side=True,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
            validate_inbound_headers=False,
        )
        session = H2Connection(settings)
        session.initiate_connection()
        found = Answer(0)
        with self.connect(address, "h2") as connection:
            assert connection.selected_alpn_protocol() == "h2"
            session.send_headers(1, headers, end_stream=not body)
            if body:
                session.send_data(1, body, end_stream=True)
            connection.sendall(session.data_to_send())
            connection.settimeout(PATIENCE)
            with contextlib.suppress(TimeoutError, ConnectionResetError, ssl.SSLError):
                while more := connection.recv(65536):
                    for event in session.receive_data(more):
                        if isinstance(event, ResponseReceived):
                            came = {bytes(name).decode(): bytes(value).decode() for name, value in event.headers}
                            found = Answer(int(came.pop(":status")), came)
                        elif isinstance(event, DataReceived):
                            found.body += event.data
                        elif isinstance(event, StreamEnded | StreamReset | ConnectionTerminated):
                            return found
                    connection.sendall(session.data_to_send())
        return found


def read_answers(came: bytes) -> list[Answer]:
    """Return the responses in a stream of bytes."""
    return _read(came)[0]


def _is_whole(came: bytes) -> bool:
    """Tell whether a stream ends with a complete response; a busy server may send a body long after the headers."""
    found, rest = _read(came)
    return bool(found) and not rest


def _read(came: bytes) -> tuple[list[Answer], bool]:
    """Return the responses in a stream, and whether bytes are left that make no complete response."""
    stream = io.BytesIO(came)
    found: list[Answer] = []
    while stream.tell() < len(came):
        answer = http.client.HTTPResponse(_Given(stream))  # type: ignore[arg-type]
        try:
            answer.begin()
            body = answer.read()
        except (http.client.HTTPException, ConnectionError):
            return found, True
        found.append(Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body))
    return found, False


class _Unclosed(io.BufferedIOBase):
    """A stream for reading one response; closing it does not close the stream of the following ones."""

    def __init__(self, stream: io.BytesIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        return self._stream.read(size)

    def read1(self, size: int = -1) -> bytes:
        return self._stream.read1(size)

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        return self._stream.readinto(buffer)

    def readline(self, size: int | None = -1) -> bytes:
        return self._stream.readline(size)


class _Given:
    def __init__(self, stream: io.BytesIO) -> None:
        self._stream = stream

    def makefile(self, _: str) -> _Unclosed:
        return _Unclosed(self._stream)
