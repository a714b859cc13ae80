"""A client that sends what no honest client would: raw bytes over TLS, from an address of its own choice."""

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
    """What came back."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    """Lower-case names."""
    body: bytes = b""

    @property
    def request_id(self) -> str:
        """The request's name in logs and ledger."""
        return self.headers.get("x-request-id", "")


@dataclass(frozen=True)
class HostileClient:
    """Speaks to one port of the entry."""

    port: int
    authority: Path
    name: str = "localhost"

    def connect(self, address: str = "127.0.0.1", protocol: str = "http/1.1") -> ssl.SSLSocket:
        """Open a TLS connection that comes from a loopback address."""
        context = ssl.create_default_context(cafile=str(self.authority))
        context.set_alpn_protocols([protocol])
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=60, source_address=(address, 0))
        return context.wrap_socket(plain, server_hostname=self.name)

    def send(self, raw: bytes, address: str = "127.0.0.1", patience: float = PATIENCE) -> list[Answer]:
        """Send bytes exactly as they are and return every answer that comes until the other side is silent.

        Args:
            raw: what is sent.
            address: loopback address it comes from.
            patience: seconds after which the other side is taken to wait for more.
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
        """Send one HTTP/2 request without any of the checks an honest library makes."""
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
    """Split a stream into its answers."""
    return _read(came)[0]


def _is_whole(came: bytes) -> bool:
    """Tell whether a stream ends where an answer ends: a busy server may say a body long after its head."""
    found, rest = _read(came)
    return bool(found) and not rest


def _read(came: bytes) -> tuple[list[Answer], bool]:
    """Return the answers of a stream, and whether there is more than whole answers in it."""
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
    """The stream for one answer: closing it leaves the rest readable."""

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
